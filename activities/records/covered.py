"""What a signature takes in beside the text: the facts of its day, the marks, the pictures and the image set (invariant 7)."""

from collections.abc import Sequence

from pydantic import JsonValue
from sqlmodel import Session, col, select

from activities.records.opening import contract_of, demographics_of, form_of
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json, open_sealed
from schemas.signed_facts import GroupFacts, PatientFacts, PracticeFacts, StudyFacts
from schemas.signed_report import marks_text
from schemas.state import CaseState, IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import AnnotationSet, KeyImage
from schemas.tables.people import Organization, Patient
from schemas.teeth import Notation


def patient_facts(session: Session, keys: KeyStore, row: Case) -> PatientFacts:
    person = demographics_of(keys, session.get_one(Patient, row.patient_id))
    return PatientFacts(
        name=person.full_name,
        birth_date=person.birth_date,
        sex=person.sex,
        number=person.patient_number,
        issuer=person.issuer,
    )


def practice_facts(session: Session, row: Case) -> PracticeFacts:
    practice = session.get_one(Organization, row.practice_id)
    return PracticeFacts(
        name=practice.name,
        address_lines=_lines(practice.address),
        phone=practice.phone,
        notation=Notation(practice.tooth_notation),
        locale=practice.locale,
        time_zone=practice.time_zone,
    )


def study_facts(session: Session, keys: KeyStore, row: Case, state: CaseState) -> StudyFacts:
    form = form_of(keys, row)
    contract = contract_of(session, row.practice_id)
    group = session.get_one(Organization, contract.group_id) if contract else None
    return StudyFacts(
        accession_number=row.number,
        referrer=form.referrer,
        copies_to=tuple(form.copies_to),
        reading_group=GroupFacts(name=group.name, address_lines=_lines(group.address), phone=group.phone)
        if group
        else None,
        identity_overridden=state.identity.standing is IdentityStanding.OVERRIDDEN,
    )


def _lines(address: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in address.splitlines() if line.strip())[:5]


def marks_of(session: Session, keys: KeyStore, case_id: str) -> str:
    """The case's marks as they are now, as canonical JSON."""
    row = session.get(AnnotationSet, case_id)
    return marks_text([] if row is None else drawn(keys, row)["annotations"])


def drawn(keys: KeyStore, row: AnnotationSet) -> dict[str, JsonValue]:
    """``annotations`` and ``viewer_state`` as the viewer saved them."""
    content = open_json(keys, row.content, column_aad("annotation_set", row.case_id, "content"))
    if not isinstance(content, dict):
        raise TypeError("an annotation set holds an object")
    return content


def pictures_of(
    session: Session, keys: KeyStore, case_id: str, image_ids: Sequence[str]
) -> list[tuple[str, bytes | None]]:
    """Key images in the order asked for: id and JPEG, or None where the case has no such picture."""
    rows = session.exec(select(KeyImage).where(KeyImage.case_id == case_id, col(KeyImage.id).in_(image_ids))).all()
    stored = {row.id: row.image for row in rows}
    return [
        (
            image_id,
            open_sealed(keys, stored[image_id], column_aad("key_image", image_id, "image"))
            if image_id in stored
            else None,
        )
        for image_id in image_ids
    ]
