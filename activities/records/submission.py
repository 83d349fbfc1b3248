"""Submission: the form is whole, the images are all there, and the set is frozen (invariants 11 and 12)."""

from sqlmodel import col, func, select

from activities.imaging.image_sets import freeze_image_set
from activities.records.opening import contract_of, demographics_of, form_of
from activities.records.writing import Writing
from schemas.clinical import FIELD_LABELS, pregnancy_matters
from schemas.errors import StateConflict
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.people import Patient
from schemas.translation import N_


class SubmissionIncomplete(StateConflict):
    code = "submission_incomplete"
    title = N_("The clinical form is not complete.")


class UploadsUnfinished(StateConflict):
    code = "uploads_unfinished"
    title = N_("Files are still being uploaded. Wait until they are done, or remove them, and submit again.")


class NoImages(StateConflict):
    code = "no_images"
    title = N_("There are no images yet. Add at least one and submit again.")


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
    age = (writing.record.at.date() - person.birth_date).days // 365
    missing = form_of(writing.keys, row).missing_for_submission(ask_pregnancy=pregnancy_matters(person.sex, age))
    if missing:
        labels = ", ".join(FIELD_LABELS[field] for field in missing)
        raise SubmissionIncomplete(f"The clinical form still needs: {labels}.", fields=missing)
    freeze(writing)


def freeze(writing: Writing) -> None:
    session, row = writing.session, writing.row
    unfinished = session.exec(
        select(func.count()).where(
            Upload.case_id == row.id, Upload.state == "open", col(Upload.expires_at) > writing.record.at
        )
    ).one()
    if unfinished:
        raise UploadsUnfinished()
    files = session.exec(
        select(func.count()).where(StoredFile.case_id == row.id, col(StoredFile.state).in_(["stored", "ready"]))
    ).one()
    if not files:
        raise NoImages()
    freeze_image_set(session, row.id, writing.record.state.image_set)


def answer(writing: Writing) -> None:
    """An answer with new images freezes a new set; without, nothing but the text is kept."""
    if writing.record.facts.new_images:
        freeze(writing)
