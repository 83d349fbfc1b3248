"""To what files are added: a case that takes them, or a patient's record. Asked before an upload's first byte, every few
seconds while it is under way, and in the transaction that completes it.
"""

from dataclasses import dataclass

from sqlmodel import Session

from activities.treatment_documents import BELONGS_TO_A_CASE
from api.cases import acting
from api.deps import practice_of, practices_of
from api.patients import practice_actor
from api.standing import CaseAccess, load_case
from api.tus import protocol
from infra.keystore import KeyStore
from infra.settings import Settings
from infra.uploads import Home
from schemas.access import Person, PracticeRight, Right, may
from schemas.errors import Forbidden, InvalidInput, NotFound, OdontoError
from schemas.lifecycle import State
from schemas.messages import Actor
from schemas.tables.imaging import Upload
from schemas.tables.people import Patient
from schemas.translation import N_


class DestinationUnclear(InvalidInput):
    code = "destination_unclear"
    status = 400
    title = N_("Name in Upload-Metadata what the file belongs to: either case_id or patient_id.")


@dataclass(frozen=True)
class Destination:
    """What the files are added to, and as whom somebody adds them."""

    home: Home
    actor: Actor


@dataclass(frozen=True)
class Aim:
    """What an upload says that it belongs to, before anybody has looked whether that is theirs."""

    case_id: str | None = None
    patient_id: str | None = None

    @classmethod
    def named_in(cls, metadata: dict[str, str]) -> "Aim":
        """Raises DestinationUnclear for both, and for neither."""
        aim = cls(metadata.get("case_id") or None, metadata.get("patient_id") or None)
        if (aim.case_id is None) == (aim.patient_id is None):
            raise DestinationUnclear()
        return aim

    @classmethod
    def of(cls, upload: Upload) -> "Aim":
        return cls(upload.case_id, upload.patient_id)

    def reach(self, session: Session, keys: KeyStore, person: Person) -> Destination:
        """The destination, for somebody who may add files to it now.

        Raises NotFound for what is not theirs and what is not there, alike; Forbidden for what they may never add to;
        UploadsClosed for a case at another time.
        """
        if self.case_id is not None:
            access = need_upload(load_case(session, keys, self.case_id, person))
            return Destination(access.row, acting(access))
        practices_of(person, PracticeRight.EDIT_DOCUMENTS)
        patient = session.get(Patient, self.patient_id)
        if patient is None:
            raise NotFound()
        practice_id = practice_of(person, PracticeRight.EDIT_DOCUMENTS, patient.practice_id)
        return Destination(patient, practice_actor(person, practice_id))


def need_upload(access: CaseAccess) -> CaseAccess:
    """409 where the person could add files at another time of the case, 403 where never."""
    if not access.may(Right.UPLOAD):
        if any(may(Right.UPLOAD, access.held, state) for state in State):
            raise protocol.UploadsClosed()
        raise Forbidden()
    return access


class DocumentTooLarge(OdontoError):
    code = "document_too_large"
    status = 413
    title = N_("This file is larger than a treatment document may be.")


class ImagesBelongToACase(OdontoError):
    """Said before a byte is sent, where a file's name tells; others are found when they are checked."""

    code = BELONGS_TO_A_CASE.code
    status = 415
    title = BELONGS_TO_A_CASE.sentence


def most_bytes(home: Home, settings: Settings) -> int:
    """Of the largest file that is taken here."""
    of_home = settings.document_max_bytes if isinstance(home, Patient) else settings.upload_max_bytes
    return min(of_home, settings.upload_max_bytes)


def need_size(home: Home, length: int, settings: Settings) -> None:
    """Raises UploadTooLarge, DocumentTooLarge."""
    if length <= most_bytes(home, settings):
        return
    if length > settings.upload_max_bytes:
        raise protocol.UploadTooLarge()
    megabytes = settings.document_max_bytes / 1_000_000
    raise DocumentTooLarge(f"A treatment document may have at most {megabytes:g} MB. Please add a smaller copy of it.")


def need_kind(home: Home, filename: str, filetype: str) -> None:
    """Raises ImagesBelongToACase for what calls itself DICOM and is meant for a patient's record."""
    calls_itself_dicom = filetype == "application/dicom" or filename.lower().endswith((".dcm", ".dicom"))
    if isinstance(home, Patient) and calls_itself_dicom:
        raise ImagesBelongToACase()
