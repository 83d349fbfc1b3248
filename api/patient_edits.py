"""Editing a patient's details: nobody's edit is lost, and none takes an identity away from the images of a case."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, select

from activities.imaging.contradictions import Contradiction, contradictions_of_edit
from activities.records.opening import copy_identity_columns, demographics_of
from api.patients import EditedMeanwhile, index_patient
from infra.audit import write_audit
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.sealing import column_aad, seal_json
from schemas.errors import NotFound, StateConflict
from schemas.forms import Demographics
from schemas.identity import Attribute
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.people import Patient
from schemas.translation import N_


class ImagesSayOtherwise(StateConflict):
    """An edit would take a patient's identity away from images that were let pass with it.

    ``found``: the cases; ``fields``: what was edited that says otherwise, in the order of the form.
    """

    code = "images_say_otherwise"
    title = N_("These details would no longer fit the images of a case of this patient.")

    def __init__(self, found: Sequence[Contradiction], changed: Sequence[str]) -> None:
        self.found = tuple(found)
        self.numbers = ", ".join(each.number for each in found)
        self.way_out = WAY_OUT_SIGNED if any(each.is_signed for each in found) else WAY_OUT_UNSIGNED
        attributes = {attribute for each in found for attribute in each.attributes}
        self.fields = tuple(
            field
            for attribute, fields in _FIELDS_OF.items()
            if attribute in attributes
            for field in fields
            if field in changed
        )
        super().__init__(self.way_out % {"cases": self.numbers})


_FIELDS_OF: Final = {
    Attribute.NAME: ("given_name", "family_name"),
    Attribute.BIRTH_DATE: ("birth_date",),
    Attribute.SEX: ("sex",),
    Attribute.PATIENT_ID: ("patient_number", "issuer"),
}
WAY_OUT_UNSIGNED: Final = N_(
    "The images of case %(cases)s say otherwise, so nothing was saved. If they are of somebody else, or the record was wrong "
    "from the start, cancel that case, change the record, and open a new case: there a second person looks at it."
)
WAY_OUT_SIGNED: Final = N_(
    "The images of case %(cases)s say otherwise, and its report is signed, so nothing was saved. If they are of somebody "
    "else, or the record was wrong from the start, ask the radiologist to withdraw the report; then change the record and "
    "open a new case: there a second person looks at it."
)

_NAMED: Final = 20
"""Cases that a denial names: what fits into its row."""


def edit_patient(
    database: Database,
    keys: KeyStore,
    patient_id: str,
    practice_id: str,
    person: Demographics,
    *,
    revision: int,
    actor: Actor,
) -> Patient:
    """A transaction of its own. Open cases take over sex and year of birth; signed versions keep what they were signed with.

    Raises NotFound, EditedMeanwhile, or ImagesSayOtherwise, which leaves a denial in the audit trail.
    """
    try:
        with database.write() as session:
            return _edit(session, keys, patient_id, practice_id, person, revision=revision, actor=actor)
    except ImagesSayOtherwise as fact:
        with database.write() as session:
            write_audit(
                session,
                scope=practice_id,
                act="patient.edit",
                actor=actor,
                at=now(),
                outcome="denied",
                subject_id=patient_id,
                detail={
                    "code": fact.code,
                    "cases": " ".join(each.case_id for each in fact.found[:_NAMED]),
                    "fields": " ".join(fact.fields),
                },
            )
        raise


def _edit(
    session: Session,
    keys: KeyStore,
    patient_id: str,
    practice_id: str,
    person: Demographics,
    *,
    revision: int,
    actor: Actor,
) -> Patient:
    patient = session.get(Patient, patient_id, with_for_update=True)
    if patient is None or patient.practice_id != practice_id:
        raise NotFound()
    if patient.revision != revision:
        raise EditedMeanwhile(revision=patient.revision)
    before = demographics_of(keys, patient)
    changed = [name for name in Demographics.model_fields if getattr(before, name) != getattr(person, name)]
    found = contradictions_of_edit(session, keys, patient_id, before, person)
    if found:
        raise ImagesSayOtherwise(found, changed)
    place = column_aad("patient", patient_id, "demographics")
    patient.demographics = seal_json(keys.data_key(patient.key_id), person.model_dump(mode="json"), place)
    patient.revision += 1
    patient.updated_at = now()
    index_patient(session, keys, patient, person)
    for row in session.exec(select(Case).where(Case.patient_id == patient_id, col(Case.is_open))).all():
        copy_identity_columns(row, person)
    session.flush()
    write_audit(
        session,
        scope=practice_id,
        act="patient.edit",
        actor=actor,
        at=patient.updated_at,
        subject_id=patient_id,
        detail={"fields": " ".join(changed)},
    )
    return patient
