"""A patient's record as a home of arranged things: its treatment documents. None of them is frozen: a record is no report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlmodel import Session, col, select

from api.patients import load_patient, practice_actor
from api.services import Services
from infra.audit import write_audit
from infra.database import now
from infra.feed import publish
from infra.keys import DataKey
from schemas.access import Person
from schemas.files import FileState
from schemas.messages import Actor
from schemas.tables.documents import PatientDocument
from schemas.tables.people import Patient


@dataclass(frozen=True)
class RecordHome:
    """``actor`` is somebody who may see the record's documents, and may edit them where something is changed."""

    patient: Patient
    key: DataKey
    actor: Actor
    newest_first: ClassVar[bool] = True
    shows_empty: ClassVar[bool] = True

    @property
    def owner(self) -> Mapping[str, str]:
        return {"patient_id": self.patient.id}

    def hold(self, session: Session) -> None:
        session.exec(select(Patient.id).where(Patient.id == self.patient.id).with_for_update()).one()

    def items(self, session: Session) -> Mapping[str, bool]:
        """The newest first, those that wait to be checked and those that could not be read too."""
        newest = (
            select(PatientDocument.id)
            .where(PatientDocument.patient_id == self.patient.id, PatientDocument.state != FileState.REMOVED)
            .order_by(col(PatientDocument.created_at).desc(), col(PatientDocument.id))
        )
        return dict.fromkeys(session.exec(newest).all(), True)

    def note(self, session: Session, what: str, subject_id: str) -> None:
        moment, practice_id = now(), self.patient.practice_id
        write_audit(
            session,
            scope=practice_id,
            act=f"document.{what}",
            actor=self.actor,
            at=moment,
            subject_id=subject_id,
            detail={"patient": self.patient.id},
        )
        publish(session, f"document.{what}", at=moment, practice_id=practice_id)


def record_home(services: Services, person: Person, practice_id: str, patient_id: str) -> RecordHome:
    """Raises NotFound for another practice's patient."""
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
    return RecordHome(patient, services.keys.data_key(patient.key_id), practice_actor(person, practice_id))
