"""What the rows of a list show beside the case's own columns: read in a few queries, whatever their number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from activities.records.opening import demographics_of, form_of
from api.listing import Held
from api.messages import unread_counts
from api.views import names_of
from infra.keystore import KeyStore
from schemas.access import Right, may
from schemas.clinical import ClinicalForm
from schemas.files import FileKind, FileState
from schemas.forms import Demographics
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Series, StoredFile
from schemas.tables.people import Organization, Patient


@dataclass(frozen=True, slots=True)
class RowFacts:
    """``people`` and ``forms`` hold only what the person may know: a row of the pool has no identity."""

    names: Mapping[str, str] = field(default_factory=dict)
    practices: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Demographics] = field(default_factory=dict)
    """By patient."""
    forms: Mapping[str, ClinicalForm] = field(default_factory=dict)
    modalities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """DICOM codes (0008,0060) by case; ``photo`` for photographs."""
    unread: Mapping[str, int] = field(default_factory=dict)


def row_facts(
    session: Session, keys: KeyStore, rows: Sequence[Held], user_id: str, *, chat: bool = True, clinical: bool = True
) -> RowFacts:
    """The facts for a page of a list. ``chat`` counts unread messages, too; ``clinical`` opens the forms and looks which
    images there are."""
    if not rows:
        return RowFacts()
    cases = [row for row, _ in rows]
    ids = [row.id for row in cases]
    known = [row for row, held in rows if may(Right.SEE_CASE, held, State(row.state))]
    patients = _patients(session, known)
    keys.fetch(session, [*(row.key_id for row in known), *(patient.key_id for patient in patients)])
    practices = {row.practice_id for row in cases}
    return RowFacts(
        names=names_of(session, (user for row in cases for user in (row.assignee_id, row.approver_id))),
        practices=dict(
            session.exec(select(Organization.id, Organization.name).where(col(Organization.id).in_(practices))).all()
        ),
        people={patient.id: demographics_of(keys, patient) for patient in patients},
        forms={row.id: form_of(keys, row) for row in known} if clinical else {},
        modalities=modalities_of(session, ids) if clinical else {},
        unread=unread_counts(session, user_id, ids) if chat else {},
    )


def _patients(session: Session, cases: Sequence[Case]) -> Sequence[Patient]:
    wanted = {row.patient_id for row in cases}
    return session.exec(select(Patient).where(col(Patient.id).in_(wanted))).all() if wanted else []


UNCHECKED: Final = "unchecked"
"""In place of a modality: there are files that nobody has looked at yet."""


def modalities_of(session: Session, case_ids: Sequence[str]) -> dict[str, list[str]]:
    """The kinds of images of each case, in the order of their codes."""
    found: dict[str, set[str]] = {}
    series = select(Series.case_id, Series.modality).where(col(Series.case_id).in_(case_ids)).distinct()
    files = (
        select(StoredFile.case_id, StoredFile.kind, StoredFile.state)
        .where(
            col(StoredFile.case_id).in_(case_ids),
            or_(
                col(StoredFile.state) == FileState.STORED,
                (col(StoredFile.kind) == FileKind.PHOTO) & (col(StoredFile.state) == FileState.READY),
            ),
        )
        .distinct()
    )
    for case_id, modality in session.exec(series).all():
        found.setdefault(case_id, set()).add(modality)
    for case_id, kind, state in session.exec(files).all():
        found.setdefault(case_id, set()).add(UNCHECKED if state == FileState.STORED else kind)
    return {case_id: sorted(kinds) for case_id, kinds in found.items()}
