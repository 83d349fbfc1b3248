"""Submission: the form is whole, the images are all there, and the set is frozen (invariants 11 and 12)."""

from typing import Final

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from activities.imaging.image_sets import SUBMITTABLE, freeze_image_set
from activities.imaging.removal import remove_files
from activities.records.opening import contract_of, demographics_of, form_of
from activities.records.projection import state_of
from activities.records.writing import Writing
from infra.stored_files import let_go_of
from infra.uploads import count_under_way
from schemas.ages import age_on
from schemas.clinical import FIELD_LABELS, pregnancy_matters
from schemas.errors import StateConflict
from schemas.files import FileKind, FileState
from schemas.lifecycle import Action
from schemas.messages import Record
from schemas.tables.imaging import StoredFile
from schemas.tables.people import Patient
from schemas.translation import N_

_SUBMITTABLE: Final = select(StoredFile.id).where(col(StoredFile.state).in_(SUBMITTABLE))


class SubmissionIncomplete(StateConflict):
    code = "submission_incomplete"
    title = N_("The clinical form is not complete.")


class UploadsUnfinished(StateConflict):
    code = "uploads_unfinished"
    title = N_("Files are still being uploaded. Wait until they are done, or stop them, and try again.")


class NoImages(StateConflict):
    code = "no_images"
    title = N_("There are no images yet. Add at least one and submit again.")


class NothingAdded(StateConflict):
    code = "nothing_added"
    title = N_("There are no new files. Add at least one, then try again.")


class NoContract(StateConflict):
    code = "no_contract"
    title = N_(
        "No reading group has a contract with this practice, so nobody could read the case. Ask the administrator."
    )


def submit(writing: Writing) -> None:
    session, row = writing.session, writing.row
    if contract_of(session, row.practice_id) is None:
        raise NoContract()
    patient = session.get_one(Patient, row.patient_id)
    person = demographics_of(writing.keys, patient)
    age = age_on(person.birth_date, writing.record.at.date())
    missing = form_of(writing.keys, row).missing_for_submission(ask_pregnancy=pregnancy_matters(person.sex, age))
    if missing:
        labels = ", ".join(FIELD_LABELS[field] for field in missing)
        raise SubmissionIncomplete(f"The clinical form still needs: {labels}.", fields=missing)
    freeze(writing)


def freeze(writing: Writing) -> None:
    session, row = writing.session, writing.row
    _need_quiet(writing)
    if not session.exec(_SUBMITTABLE.where(StoredFile.case_id == row.id).limit(1)).first():
        raise NoImages()
    freeze_image_set(session, row.id, writing.record.state.image_set)


def answer(writing: Writing) -> None:
    """An answer with new images freezes a new set; without, nothing but the text is kept."""
    _need_quiet(writing)
    if writing.record.facts.new_images:
        freeze(writing)


def add(writing: Writing) -> None:
    """Files that come after submission make a set of their own."""
    _need_quiet(writing)
    if writing.session.exec(_loose(writing.row.id).limit(1)).first() is None:
        raise NothingAdded()
    freeze_image_set(writing.session, writing.row.id, writing.record.state.image_set)


def remove_late_images(writing: Writing) -> None:
    """Takes out what came after the last verified set; nobody but the practice has seen it."""
    session, row = writing.session, writing.row
    verified = state_of(row).readable_up_to
    files = session.exec(
        select(StoredFile).where(
            StoredFile.case_id == row.id, col(StoredFile.first_set) > verified, StoredFile.state != FileState.REMOVED
        )
    ).all()
    remove_files(session, writing.case_key, files)
    # The worker's sweep deletes the blobs: a step does not wait for the storage.
    let_go_of(session, files)
    writing.noted.update(removed=len(files))


def brings_images(session: Session, record: Record) -> bool:
    """Whether files have come since the last set was frozen; of an addition, whether more than checked documents have."""
    loose = _loose(record.case_id)
    if record.action is Action.ADD_IMAGES:
        loose = loose.where(or_(col(StoredFile.state) != FileState.READY, col(StoredFile.kind) != FileKind.DOCUMENT))
    return session.exec(loose.limit(1)).first() is not None


def _loose(case_id: str) -> SelectOfScalar[str]:
    return _SUBMITTABLE.where(StoredFile.case_id == case_id, col(StoredFile.first_set).is_(None))


def _need_quiet(writing: Writing) -> None:
    """A file that is still on its way would be in no set, and nobody would ever read it."""
    if count_under_way(writing.session, writing.row.id, writing.record.at):
        raise UploadsUnfinished()
