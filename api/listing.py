"""Lists of cases: which a person may see, filtered, in pages by keyset, never by offset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, func, select

from api.cursors import Urgency, read_cursor, read_urgency, write_cursor, write_urgency
from api.patients import find_patients_by_text
from api.standing import standings_of
from infra.keystore import KeyStore
from schemas.access import OrganizationKind, Person, takers
from schemas.lifecycle import Role, State, Taker, WaitReason
from schemas.tables.case import Case
from schemas.tables.people import Contract, Patient

Held = tuple[Case, frozenset[Taker]]
"""A case, and how the person stands to it."""


@dataclass(frozen=True)
class CaseFilter:
    states: Sequence[str] = ()
    priorities: Sequence[str] = ()
    case_ids: Sequence[str] = ()
    patient_ids: Sequence[str] | None = None
    assignee_id: str | None = None
    is_open: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    limit: int = 50
    cursor: str | None = None
    extra: Sequence[ColumnElement[bool]] = field(default=())


def contracted_practices(session: Session, person: Person) -> frozenset[str]:
    groups = [m.organization_id for m in person.members if m.kind is OrganizationKind.READING_GROUP]
    if not groups:
        return frozenset()
    return frozenset(
        session.exec(
            select(Contract.practice_id).where(col(Contract.group_id).in_(groups), col(Contract.is_active))
        ).all()
    )


def visible(session: Session, person: Person) -> ColumnElement[bool]:
    """The cases that exist for a person, as the relations of ``schemas.access.takers`` have it."""
    mine: list[ColumnElement[bool]] = []
    contracted = contracted_practices(session, person)
    for member in person.members:
        if member.kind is OrganizationKind.PRACTICE:
            mine.append(col(Case.practice_id) == member.organization_id)
        elif member.kind is OrganizationKind.PLATFORM:
            mine.append(col(Case.id).is_not(None))
        elif member.role is Role.SCHEDULER:
            mine.append(and_(col(Case.practice_id).in_(contracted), col(Case.state) != State.DRAFT))
        else:
            in_pool = and_(
                col(Case.assignee_id).is_(None),
                or_(
                    col(Case.state) == State.UNASSIGNED,
                    col(Case.wait_reason) == WaitReason.IDENTITY_SECOND_PERSON,
                ),
            )
            involved = or_(
                col(Case.assignee_id) == person.user_id,
                col(Case.approver_id) == person.user_id,
                col(Case.author_id) == person.user_id,
                in_pool,
            )
            mine.append(and_(col(Case.practice_id).in_(contracted), involved))
    return or_(*mine) if mine else col(Case.id).is_(None)


def list_cases(
    session: Session, person: Person, wanted: CaseFilter
) -> tuple[list[tuple[Case, frozenset[Taker]]], str | None]:
    """A page, the newest first, with how the person stands to each; and the cursor of the next page."""
    statement = select(Case).where(visible(session, person), *_conditions(wanted))
    if wanted.cursor:
        created_at, case_id = read_cursor(wanted.cursor)
        statement = statement.where(
            or_(
                col(Case.created_at) < created_at,
                and_(col(Case.created_at) == created_at, col(Case.id) < case_id),
            )
        )
    statement = statement.order_by(col(Case.created_at).desc(), col(Case.id).desc()).limit(wanted.limit + 1)
    rows = list(session.exec(statement).all())
    following = (
        write_cursor(rows[wanted.limit - 1].created_at, rows[wanted.limit - 1].id) if len(rows) > wanted.limit else None
    )
    return with_standing(session, person, rows[: wanted.limit]), following


def worklist(
    session: Session, person: Person, *conditions: ColumnElement[bool], limit: int = 100, cursor: str = ""
) -> tuple[list[Held], str]:
    """Open cases, the most urgent first: what is promised soonest, then by priority, then by age.

    Cases whose clock does not run come last, so a list of what somebody is waited for is asked on its own
    (``api.waiting``). Beside the page the cursor of the next one, or empty. Raises CursorInvalid.
    """
    statement = select(Case).where(visible(session, person), col(Case.is_open), *conditions)
    if cursor:
        statement = statement.where(_after(read_urgency(cursor)))
    statement = statement.order_by(
        col(Case.due_at).is_(None), col(Case.due_at), col(Case.priority_rank), col(Case.created_at), col(Case.id)
    ).limit(limit + 1)
    rows = session.exec(statement).all()
    following = ""
    if len(rows) > limit:
        last = rows[limit - 1]
        following = write_urgency(Urgency(last.due_at, last.priority_rank, last.created_at, last.id))
    return with_standing(session, person, rows[:limit]), following


def _after(place: Urgency) -> ColumnElement[bool]:
    """The rows that come after a place in the order of a worklist."""
    rank, created, due = col(Case.priority_rank), col(Case.created_at), col(Case.due_at)
    behind = or_(
        rank > place.rank,
        and_(rank == place.rank, created > place.created_at),
        and_(rank == place.rank, created == place.created_at, col(Case.id) > place.case_id),
    )
    if place.due_at is None:
        return and_(due.is_(None), behind)
    return or_(due.is_(None), due > place.due_at, and_(due == place.due_at, behind))


def count_by_state(session: Session, person: Person) -> dict[str, int]:
    """How many cases exist for the person in each state that has any."""
    statement = select(Case.state, func.count()).where(visible(session, person)).group_by(col(Case.state))
    return dict(session.exec(statement).all())


def count_cases(session: Session, person: Person, *conditions: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(Case).where(visible(session, person), *conditions)).one()


def count_open(session: Session, person: Person, *conditions: ColumnElement[bool]) -> int:
    """How long a worklist is."""
    return count_cases(session, person, col(Case.is_open).is_(True), *conditions)


def patients_within(person: Person, find: Callable[[str], Sequence[Patient]]) -> list[str]:
    """Ids of what ``find`` finds in each of the person's practices. In nobody else's is a name looked for."""
    practices = {m.organization_id: None for m in person.members if m.kind is OrganizationKind.PRACTICE}
    return [patient.id for practice_id in practices for patient in find(practice_id)]


def search_cases(session: Session, keys: KeyStore, person: Person, text: str, *, limit: int = 50) -> list[Held]:
    """Cases by number, or by the patient's name, number or date of birth within one's own practices, the newest first.

    Nobody outside the practice searches by name: the blind index is under the practice's key.
    """
    words = text.strip()
    patients = patients_within(
        person, lambda practice_id: find_patients_by_text(session, keys, practice_id, words, limit=200)
    )
    statement = (
        select(Case)
        .where(
            visible(session, person),
            or_(func.lower(col(Case.number)) == words.lower(), col(Case.patient_id).in_(patients)),
        )
        .order_by(col(Case.created_at).desc(), col(Case.id).desc())
        .limit(limit)
    )
    return with_standing(session, person, session.exec(statement).all())


def with_standing(session: Session, person: Person, rows: Sequence[Case]) -> list[tuple[Case, frozenset[Taker]]]:
    standings = standings_of(session, rows, person)
    return [(row, held) for row, standing in zip(rows, standings, strict=True) if (held := takers(person, standing))]


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    conditions = list(wanted.extra)
    for column, values in (
        (col(Case.state), wanted.states),
        (col(Case.priority), wanted.priorities),
        (col(Case.id), wanted.case_ids),
    ):
        if values:
            conditions.append(column.in_(values))
    if wanted.patient_ids is not None:
        conditions.append(col(Case.patient_id).in_(wanted.patient_ids))
    if wanted.assignee_id is not None:
        conditions.append(col(Case.assignee_id) == wanted.assignee_id)
    if wanted.is_open is not None:
        conditions.append(col(Case.is_open).is_(wanted.is_open))
    if wanted.created_from is not None:
        conditions.append(col(Case.created_at) >= wanted.created_from)
    if wanted.created_to is not None:
        conditions.append(col(Case.created_at) < wanted.created_to)
    return conditions
