"""Whether new details of a patient still fit the images that their cases were let pass with (DOMAIN, wrong-patient protection).

Processing compares images with the patient once. Without a second look, one person could write the details of foreign
images into a record, submit, and write the old ones back: the two people that an override needs would be passed by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from activities.imaging.identity import identity_in, identity_of_demographics
from activities.imaging.image_sets import files_of_set
from infra.keystore import KeyStore
from schemas.files import FileState
from schemas.forms import Demographics
from schemas.identity import Attribute, PersonIdentity, Verdict, compare
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Instance

COMPARED_LATER: Final = frozenset({State.DRAFT, State.ATTENTION})
"""From these a case goes through processing before anybody reads it, and processing compares afresh."""


@dataclass(frozen=True)
class Contradiction:
    """A case, and what its images say otherwise. Holds no personal data."""

    case_id: str
    number: str
    is_signed: bool
    attributes: tuple[Attribute, ...]


def contradictions_of_edit(
    session: Session, keys: KeyStore, patient_id: str, before: Demographics, after: Demographics
) -> tuple[Contradiction, ...]:
    """The patient's open, submitted cases that would no longer match their checked images; the oldest first.

    What was contradicted before the edit, too, is not the edit's doing: two people have agreed to those images. Images
    that are checked while this is asked are compared with ``after``: the caller holds the patient's row.
    """
    was, becomes = identity_of_demographics(before), identity_of_demographics(after)
    if was == becomes:
        return ()
    cases = session.exec(
        select(Case)
        .where(Case.patient_id == patient_id, col(Case.is_open), col(Case.state).not_in(COMPARED_LATER))
        .order_by(col(Case.created_at), col(Case.id))
    ).all()
    found = []
    for case in cases:
        people = people_in_images(session, keys, case, case.image_set)
        attributes = contradicted(becomes, people) - contradicted(was, people)
        if attributes:
            named = tuple(attribute for attribute in Attribute if attribute in attributes)
            found.append(Contradiction(case.id, case.number, case.version > 0, named))
    return tuple(found)


def contradicted(patient: PersonIdentity, people: Sequence[PersonIdentity]) -> frozenset[Attribute]:
    """What at least one of these people, as images name them, has otherwise than the patient."""
    return frozenset(
        reason.attribute
        for person in people
        for reason in compare(patient, person).reasons
        if reason.verdict is Verdict.CONTRADICTS
    )


def people_in_images(session: Session, keys: KeyStore, case: Case, up_to: int) -> tuple[PersonIdentity, ...]:
    """Each different identity that the checked images of an image set carry. PHI."""
    ready = [file.id for file in files_of_set(session, case.id, up_to) if file.state == FileState.READY]
    rows = session.exec(select(Instance.id, Instance.metadata_json).where(col(Instance.file_id).in_(ready))).all()
    key = keys.data_key(case.key_id)
    return tuple(dict.fromkeys(identity_in(key, instance_id, sealed) for instance_id, sealed in rows))
