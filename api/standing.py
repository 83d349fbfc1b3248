"""How a person stands to a case: the one place where a case is loaded for somebody."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy import select as rows_of
from sqlmodel import Session

from infra.keys import DataKey
from infra.keystore import KeyStore
from schemas.access import CaseStanding, OrganizationKind, Person, Right, may, owns_practice, takers
from schemas.errors import Forbidden, NotFound
from schemas.lifecycle import Role, State, Taker, WaitReason
from schemas.tables.case import Case

_tables = Case.metadata.tables
_CASE, _CONTRACT, _VERSION = (_tables[name].c for name in ("report_case", "contract", "report_version"))
# Every request asks these, so they are made once.
_GROUPS: Final = rows_of(_CONTRACT.practice_id, _CONTRACT.group_id).where(
    _CONTRACT.practice_id.in_(bindparam("practices", expanding=True)), _CONTRACT.is_active
)
_SIGNERS: Final = rows_of(_VERSION.case_id, _VERSION.author_id, _VERSION.approver_id).where(
    _VERSION.case_id.in_(bindparam("cases", expanding=True))
)
_OTHER_OPEN: Final = rows_of(_CASE.id, _CASE.practice_id, _CASE.patient_id).where(
    _CASE.patient_id.in_(bindparam("patients", expanding=True)),
    _CASE.assignee_id == bindparam("user_id"),
    _CASE.is_open,
)


@dataclass(frozen=True)
class CaseAccess:
    """A case as one person may have it. ``held`` is never empty: to everybody else the case does not exist."""

    row: Case
    person: Person
    held: frozenset[Taker]
    key: DataKey

    @property
    def state(self) -> State:
        return State(self.row.state)

    @property
    def is_owner(self) -> bool:
        return owns_practice(self.person, self.row.practice_id)

    def may(self, right: Right) -> bool:
        return may(right, self.held, self.state)

    def need(self, right: Right) -> None:
        """Raises Forbidden: the person sees that the case is there, but not this of it."""
        if not self.may(right):
            raise Forbidden()


def groups_of(session: Session, practice_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The reading groups under contract, by practice."""
    groups: dict[str, set[str]] = {practice_id: set() for practice_id in practice_ids}
    for practice_id, group_id in session.connection().execute(_GROUPS, {"practices": list(groups)}):
        groups[practice_id].add(group_id)
    return {practice_id: frozenset(found) for practice_id, found in groups.items()}


def standings_of(session: Session, rows: Sequence[Case], person: Person) -> list[CaseStanding]:
    """The relations' facts of many cases, in as many queries as of one. What only a radiologist's or a group's relations
    need is read for them alone."""
    reads = any(member.role is Role.RADIOLOGIST for member in person.members)
    in_group = any(member.kind is OrganizationKind.READING_GROUP for member in person.members)
    groups = groups_of(session, {row.practice_id for row in rows}) if in_group and rows else {}
    signers = _signers_of(session, rows) if reads and rows else {}
    prior = _other_open_cases(session, rows, person) if reads and rows else {}
    return [
        CaseStanding(
            case_id=row.id,
            practice_id=row.practice_id,
            state=State(row.state),
            groups=groups.get(row.practice_id, frozenset()),
            assignee_id=row.assignee_id,
            approver_id=row.approver_id,
            signers=signers.get(row.id, frozenset()),
            wants_second_person=row.wait_reason == WaitReason.IDENTITY_SECOND_PERSON,
            prior_readers=frozenset({person.user_id})
            if prior.get((row.practice_id, row.patient_id), frozenset()) - {row.id}
            else frozenset(),
        )
        for row in rows
    ]


def standing_of(session: Session, row: Case, person: Person) -> CaseStanding:
    return standings_of(session, [row], person)[0]


def _signers_of(session: Session, rows: Sequence[Case]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    ids = [row.id for row in rows]
    for case_id, author, approver in session.connection().execute(_SIGNERS, {"cases": ids}):
        found[case_id] = found.get(case_id, frozenset()) | {user_id for user_id in (author, approver) if user_id}
    return found


def _other_open_cases(session: Session, rows: Sequence[Case], person: Person) -> dict[tuple[str, str], frozenset[str]]:
    """Open cases assigned to the person, by practice and patient."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    wanted = {"patients": list({row.patient_id for row in rows}), "user_id": person.user_id}
    for case_id, practice_id, patient_id in session.connection().execute(_OTHER_OPEN, wanted):
        place = (practice_id, patient_id)
        found[place] = found.get(place, frozenset()) | {case_id}
    return found


def load_case(session: Session, keys: KeyStore, case_id: str, person: Person) -> CaseAccess:
    """Raises NotFound for a case that is not there and for one that is somebody else's, alike."""
    row = session.get(Case, case_id)
    if row is None:
        raise NotFound()
    held = takers(person, standing_of(session, row, person))
    if not held:
        raise NotFound()
    return CaseAccess(row=row, person=person, held=held, key=keys.data_key(row.key_id))
