"""Files of a case, a line a study."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from api.arrangement import Group
from api.case_batches import MixedBatch, PersonInBatch
from api.case_files import BrokenFile, CaseFiles, FileLine
from api.case_studies import StudyLine
from schemas.arrangement_forms import Labels
from schemas.files import FileKind
from schemas.translation import N_
from ui.assemble.case_rows import modality_words
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.views import FileGroupView, FilesView, MixedPerson, MixedView, StudyView

UPLOADS: Final = "/api/v1/uploads"
_NAMED: Final = 8
"""Files named in a sentence; of more, the first."""


def files_of(
    case_id: str,
    files: CaseFiles,
    looker: Looker,
    *,
    mixed: Sequence[MixedBatch] = (),
    may_upload: bool,
    may_upload_later: bool,
    may_remove: bool,
    may_see: bool,
) -> FilesView:
    """``may_see``: previews are for those who may see the images; a scheduler only adds them."""
    base = f"/cases/{case_id}/files"
    arrived = [
        *(_study(line, base, looker, may_see=may_see, may_remove=may_remove) for line in files.studies),
        *(_file(line, case_id, base, looker, may_see=may_see, may_remove=may_remove) for line in files.files),
    ]
    labelled = {line.id: _labelled(line, files.arrangement.labels_of(line.id), case_id, looker) for line in arrived}

    def is_open(group: Group) -> bool:
        """What was submitted stays under its heading, as it was read."""
        return all(labelled[item_id].arrange_url for item_id in group.items)

    first, *named = (
        FileGroupView(
            id=group.id or "",
            name=group.name,
            studies=tuple(labelled[item_id] for item_id in group.items),
            edit_url=f"/cases/{case_id}/groups/{group.id}" if may_remove and is_open(group) else "",
        )
        for group in files.arrangement.groups
    )
    rest = [_broken(line, base, looker, may_remove=may_remove) for line in files.broken]
    if files.waiting:
        rest.append(_waiting(files, looker))
    return FilesView(
        case_id=case_id,
        studies=(*first.studies, *rest),
        groups=tuple(group for group in named if group.studies or may_remove),
        mixed=tuple(_mixed(batch, base, looker, may_remove=may_remove) for batch in mixed),
        upload_url=UPLOADS if may_upload else "",
        uploads_later=may_upload_later,
        arrange_url=f"/api/v1/cases/{case_id}/arrangement"
        if any(line.arrange_url for line in labelled.values())
        else "",
        series_url=f"/cases/{case_id}/series" if may_remove and _has_movable(files) else "",
        viewer_later=f"/cases/{case_id}/images" if may_see else "",
        viewer_url=f"/cases/{case_id}/images" if may_see and (files.studies or files.files) else "",
    )


def _has_movable(files: CaseFiles) -> bool:
    """Whether there is more than one image, and one that nobody can have read."""
    photos = [line for line in files.files if line.kind == FileKind.PHOTO]
    number = sum(line.frames for line in files.studies) + sum(line.together for line in photos)
    open_ones = [*(line.is_removable for line in files.studies), *(line.is_removable for line in photos)]
    return number > 1 and any(open_ones)


def _labelled(line: StudyView, labels: Labels, case_id: str, looker: Looker) -> StudyView:
    """With the practice's own words, and what it came as beside them."""
    return replace(
        line,
        name=labels.title or line.name,
        detail=", ".join(filter(None, (line.name, line.detail))) if labels.title else line.detail,
        description=labels.description,
        teeth=looker.teeth(labels.teeth),
        arrange_url=f"/cases/{case_id}/arrangement/{line.id}" if line.remove_url else "",
    )


def _study(line: StudyLine, base: str, looker: Looker, *, may_see: bool, may_remove: bool) -> StudyView:
    removes = may_remove and line.is_removable
    return StudyView(
        id=line.study_id,
        name=modality_words(line.modalities, looker),
        detail=", ".join(line.descriptions),
        images=line.frames,
        size=line.size,
        state="ready" if line.stranger is None else "problem",
        problem="" if line.stranger is None else _strangers(line.stranger, looker),
        preview=line.thumbnail if may_see else "",
        bears_writing=line.bears_writing,
        remove_url=f"{base}/studies/{line.study_id}/remove" if removes else "",
        nonce=new_nonce() if removes else "",
    )


def _strangers(name: str, looker: Looker) -> str:
    if not name:
        return looker.say(
            N_(
                "These images are of another patient by their date of birth, sex or number. Please remove them if they are not this patient's."
            )
        )
    return looker.say(
        N_("These images name another patient: “%(name)s”. Please remove them if they are not this patient's."),
        name=name,
    )


def _file(line: FileLine, case_id: str, base: str, looker: Looker, *, may_see: bool, may_remove: bool) -> StudyView:
    removes = may_remove and line.is_removable
    is_photo = line.kind == FileKind.PHOTO
    is_opened = may_see and line.kind in {"document", "surface"}
    return StudyView(
        id=line.file_id,
        name=line.name,
        detail=_what(line, looker),
        images=(line.together if line.together > 1 else line.facts.pages) if is_photo else 0,
        size=line.size,
        is_picture=is_photo,
        state="problem" if line.missing else "ready",
        problem=_missing(line, looker) if line.missing else "",
        note=looker.say(N_("The first of its pictures is shown.")) if line.facts.pages > 1 else "",
        preview=f"/api/v1/cases/{case_id}/files/{line.file_id}/thumbnail" if may_see and is_photo else "",
        url=f"/api/v1/cases/{case_id}/files/{line.file_id}/content" if is_opened else "",
        remove_url=f"{base}/{line.file_id}/remove" if removes else "",
        nonce=new_nonce() if removes else "",
    )


def _what(line: FileLine, looker: Looker) -> str:
    match line.kind:
        case "photo":
            return looker.say(N_("Photographs, read together") if line.together > 1 else N_("Photograph"))
        case "surface":
            triangles = looker.say_many(N_("%(num)s triangle"), N_("%(num)s triangles"), line.facts.triangles or 0)
            return looker.say(
                N_("Surface scan (%(format)s) of %(triangles)s"), format=line.facts.format, triangles=triangles
            )
        case "directory":
            return looker.say_many(
                N_("Contents of a disc with %(num)s image"),
                N_("Contents of a disc with %(num)s images"),
                len(line.facts.listed),
            )
        case _:
            return looker.say(N_("Document"))


def _missing(line: FileLine, looker: Looker) -> str:
    """How many of the disc's images are not here, and which: the first of them by name."""
    names = ", ".join(line.missing[:_NAMED]) + ("…" if len(line.missing) > _NAMED else "")
    count = looker.say_many(
        N_("The disc lists %(num)s image"), N_("The disc lists %(num)s images"), len(line.facts.listed)
    )
    missing = looker.say_many(N_("%(num)s is missing"), N_("%(num)s are missing"), len(line.missing))
    return looker.say(
        N_("%(count)s, %(missing)s: %(names)s. Please add them from the disc."),
        count=count,
        missing=missing,
        names=names,
    )


def _broken(line: BrokenFile, base: str, looker: Looker, *, may_remove: bool) -> StudyView:
    removes = may_remove and line.is_removable
    return StudyView(
        id=line.file_id,
        name=line.name,
        detail=looker.say(N_("Single file")),
        images=0,
        size=0,
        state="problem",
        problem=line.problem,
        remove_url=f"{base}/{line.file_id}/remove" if removes else "",
        nonce=new_nonce() if removes else "",
    )


def _mixed(batch: MixedBatch, base: str, looker: Looker, *, may_remove: bool) -> MixedView:
    removes = may_remove and batch.is_removable
    number = len(batch.people)
    title = (
        looker.say(
            N_("“%(name)s” holds files of %(number)s patients and was not taken."), name=batch.name, number=number
        )
        if batch.name
        else looker.say(N_("These files are of %(number)s patients and were not taken."), number=number)
    )
    address = f"{base}/batches/{batch.batch_id}"
    return MixedView(
        title=title,
        people=tuple(
            MixedPerson(
                who=_who(person, looker),
                files=_named(person, looker),
                keep_url=f"{address}/keep/{person.number}" if removes and person.is_ours else "",
            )
            for person in batch.people
        ),
        remove_url=f"{address}/remove" if removes else "",
        nonce=new_nonce() if removes else "",
    )


def _who(person: PersonInBatch, looker: Looker) -> str:
    if not person.name and not person.birth_date:
        return looker.say(N_("Patient %(number)s"), number=person.number + 1)
    born = looker.day(date.fromisoformat(person.birth_date)) if person.birth_date else ""
    return ", ".join(part for part in (person.name, born) if part)


def _named(person: PersonInBatch, looker: Looker) -> str:
    count = looker.say_many(N_("%(num)s file"), N_("%(num)s files"), person.files)
    more = "…" if person.files > len(person.names) else ""
    return f"{count}: {', '.join(person.names)}{more}"


def _waiting(files: CaseFiles, looker: Looker) -> StudyView:
    return StudyView(
        id="waiting",
        name=looker.say_many(N_("%(num)s new file"), N_("%(num)s new files"), files.waiting),
        detail="",
        images=0,
        size=files.waiting_size,
        state="checking",
        note=looker.say(N_("%(done)s of %(total)s checked"), done=files.checked, total=files.checked + files.waiting)
        if files.checked
        else "",
        progress=(files.checked, files.checked + files.waiting) if files.checked else None,
    )
