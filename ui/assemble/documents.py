"""A patient's treatment documents: the record's own, and those of the patient's cases."""

from collections.abc import Mapping, Sequence
from typing import Final

from api.case_files import DocumentLine
from schemas.document_forms import DocumentView
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.views import DocumentRow, FormState

_KINDS: Final[Mapping[str, str]] = {"photo": N_("Photograph"), "document": N_("Document")}
_STATES: Final = {"stored": "checking", "ready": "ready", "unreadable": "problem"}


def own_rows(
    views: Sequence[DocumentView],
    patient_id: str,
    looker: Looker,
    *,
    may_edit: bool,
    tried: Mapping[str, FormState] | None = None,
) -> tuple[DocumentRow, ...]:
    """``tried``: forms that came back with an error, by document."""
    return tuple(_own(view, patient_id, looker, may_edit, (tried or {}).get(view.id)) for view in views)


def _own(view: DocumentView, patient_id: str, looker: Looker, may_edit: bool, tried: FormState | None) -> DocumentRow:
    url = f"/patients/{patient_id}/documents/{view.id}"
    form = tried or FormState(values={"name": view.name}, nonce=new_nonce())
    return DocumentRow(
        id=view.id,
        name=view.name,
        detail=looker.say(_KINDS.get(view.kind, N_("File"))),
        size=view.size,
        day=looker.day(view.created_at),
        state=_STATES[view.state],  # type: ignore[arg-type]
        is_photo=view.kind == "photo",
        added_by=view.added_by,
        url=view.download_url or "",
        preview=view.thumbnail_url or "",
        problem=looker.say(view.problem) if view.problem else "",
        rename=form if may_edit else None,
        edit_url=url if may_edit else "",
        remove_url=f"{url}/remove" if may_edit else "",
    )


def rows_of_cases(lines: Sequence[DocumentLine], numbers: Mapping[str, str], looker: Looker) -> tuple[DocumentRow, ...]:
    """``numbers`` are those of the cases, by id."""
    return tuple(
        DocumentRow(
            id=line.file_id,
            name=line.name,
            detail=looker.say(_KINDS["document"]),
            size=line.size,
            day=looker.day(line.at),
            state="ready",
            url=f"/api/v1/cases/{line.case_id}/files/{line.file_id}/content",
            case_number=numbers[line.case_id],
            case_url=f"/cases/{line.case_id}",
        )
        for line in lines
    )
