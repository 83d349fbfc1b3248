"""How a person stands to a case: the one place where a case is loaded for somebody."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from infra.keys import DataKey
from infra.keystore import KeyStore
from schemas.access import CaseStanding, OrganizationKind, Person, Right, may, owns_practice, takers
from schemas.errors import Forbidden, NotFound
from schemas.lifecycle import Role, State, Taker
from schemas.tables.case import Case
from schemas.tables.people import Contract
from schemas.tables.report import ReportVersion


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


def groups_of(session: Session, practice_id: str) -> frozenset[str]:
    return frozenset(
        session.exec(
            select(Contract.group_id).where(Contract.practice_id == practice_id, col(Contract.is_active))
        ).all()
    )


def standing_of(session: Session, row: Case, person: Person) -> CaseStanding:
    """The relations' facts. What only a radiologist's relations need is read for radiologists alone."""
    reads = any(member.role is Role.RADIOLOGIST for member in person.members)
    in_group = any(member.kind is OrganizationKind.READING_GROUP for member in person.members)
    signers: set[str] = set()
    prior_readers: frozenset[str] = frozenset()
    if reads:
        for author, approver in session.exec(
            select(ReportVersion.author_id, ReportVersion.approver_id).where(ReportVersion.case_id == row.id)
        ).all():
            signers.update(user_id for user_id in (author, approver) if user_id)
        prior_readers = frozenset(
            reader
            for reader in session.exec(
                select(Case.assignee_id).where(
                    Case.patient_id == row.patient_id,
                    Case.practice_id == row.practice_id,
                    Case.id != row.id,
                    Case.assignee_id == person.user_id,
                    col(Case.is_open),
                )
            ).all()
            if reader
        )
    return CaseStanding(
        case_id=row.id,
        practice_id=row.practice_id,
        state=State(row.state),
        groups=groups_of(session, row.practice_id) if in_group else frozenset(),
        assignee_id=row.assignee_id,
        approver_id=row.approver_id,
        signers=frozenset(signers),
        prior_readers=prior_readers,
    )


def load_case(session: Session, keys: KeyStore, case_id: str, person: Person) -> CaseAccess:
    """Raises NotFound for a case that is not there and for one that is somebody else's, alike."""
    row = session.get(Case, case_id)
    if row is None:
        raise NotFound()
    held = takers(person, standing_of(session, row, person))
    if not held:
        raise NotFound()
    return CaseAccess(row=row, person=person, held=held, key=keys.data_key(row.key_id))
