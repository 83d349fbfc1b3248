"""A patient's treatment documents: the record's own in the practice's order, and those of the patient's cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from api.arrangement import Arrangement
from api.case_documents import DocumentLine
from schemas.arrangement_forms import Labels
from schemas.document_forms import DocumentView
from schemas.files import FileKind, FileState
from schemas.tables.documents import PatientDocument
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.views import DocumentGroup, DocumentRow

_KINDS: Final[Mapping[str, str]] = {FileKind.PHOTO: N_("Photograph"), FileKind.DOCUMENT: N_("Document")}
_STATES: Final[Mapping[str, Literal["checking", "ready", "problem"]]] = {
    FileState.STORED: "checking",
    FileState.READY: "ready",
    FileState.UNREADABLE: "problem",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a long list: from ``begin`` up to, without it, ``end`` of ``total`` documents in their order."""

    begin: int
    end: int
    total: int

    @property
    def goes_on(self) -> bool:
        return self.end < self.total


def part_after(ids: Sequence[str], after: str, limit: int) -> Part:
    """What follows on ``after``; from the start, where that one is not there any more."""
    begin = ids.index(after) + 1 if after in ids else 0
    return Part(begin, min(begin + limit, len(ids)), len(ids))


def own_groups(
    arrangement: Arrangement,
    views: Mapping[str, DocumentView],
    part: Part,
    patient_id: str,
    looker: Looker,
    *,
    may_edit: bool,
) -> tuple[DocumentGroup, ...]:
    """The headings of one page. ``views`` are of its documents; one without any is where it would stand among the others."""
    found: list[DocumentGroup] = []
    begin = 0
    for group in arrangement.groups:
        end = begin + len(group.items)
        shown = group.items[max(part.begin - begin, 0) : max(part.end - begin, 0)]
        is_here = part.begin <= begin < part.end or (begin >= part.end and not part.goes_on)
        if shown or (not group.items and is_here and may_edit and group.id) or (group.id is None and part.begin == 0):
            rows = (
                _own(views[each], arrangement.labels_of(each), patient_id, looker, may_edit=may_edit)
                for each in shown
                if each in views
            )
            found.append(
                DocumentGroup(
                    id=group.id or "",
                    name=group.name,
                    rows=tuple(rows),
                    next_id=group.items[part.end - begin] if shown and end > part.end else "",
                    previous_id=group.items[part.begin - begin - 1] if shown and begin < part.begin else "",
                    edit_url=f"/patients/{patient_id}/groups/{group.id}" if may_edit and group.id else "",
                )
            )
        begin = end
    return tuple(found)


def _own(view: DocumentView, labels: Labels, patient_id: str, looker: Looker, *, may_edit: bool) -> DocumentRow:
    url = f"/patients/{patient_id}/documents/{view.id}"
    return DocumentRow(
        id=view.id,
        name=view.name,
        detail=looker.say(_KINDS.get(view.kind, N_("File"))),
        size=view.size,
        day=looker.day(view.created_at),
        state=_STATES[view.state],
        is_photo=view.kind == FileKind.PHOTO,
        added_by=view.added_by,
        url=view.download_url or "",
        preview=view.thumbnail_url or "",
        problem=looker.say(view.problem) if view.problem else "",
        description=labels.description,
        teeth=looker.teeth(labels.teeth),
        nonce=new_nonce() if may_edit else "",
        edit_url=url if may_edit else "",
        move_url=f"/patients/{patient_id}/arrangement/{view.id}/move" if may_edit else "",
        remove_url=f"{url}/remove" if may_edit else "",
    )


def about_document(row: PatientDocument, name: str, looker: Looker) -> str:
    """Which one it is, for the page on which it is edited."""
    return ", ".join((name, looker.say(_KINDS.get(row.kind, N_("File"))), looker.day(row.created_at)))


def rows_of_cases(lines: Sequence[DocumentLine], numbers: Mapping[str, str], looker: Looker) -> tuple[DocumentRow, ...]:
    """``numbers`` are those of the cases, by id."""
    return tuple(
        DocumentRow(
            id=line.file_id,
            name=line.name,
            detail=looker.say(_KINDS[FileKind.DOCUMENT]),
            size=line.size,
            day=looker.day(line.at),
            state="ready",
            url=f"/api/v1/cases/{line.case_id}/files/{line.file_id}/content",
            case_number=numbers[line.case_id],
            case_url=f"/cases/{line.case_id}",
        )
        for line in lines
    )
