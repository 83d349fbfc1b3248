"""Whom a scheduler can give cases to, and how much each of them has in hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from activities.records.readers import eligible_readers
from infra.database import now
from schemas.tables.case import Case


@dataclass(frozen=True, slots=True)
class ReaderLoad:
    """``practices`` are those for which the reader is registered; ``open_cases`` counts unsigned cases of everybody's."""

    user_id: str
    name: str
    open_cases: int
    is_approver: bool
    practices: frozenset[str]


def readers_of(session: Session, practice_ids: Collection[str]) -> Sequence[ReaderLoad]:
    """Readers of any of the practices, the least loaded first."""
    moment = now()
    names: dict[str, tuple[str, bool]] = {}
    registered: dict[str, set[str]] = {}
    for practice_id in sorted(practice_ids):
        for reader in eligible_readers(session, practice_id, moment):
            names[reader.user.id] = (reader.user.name, reader.is_approver)
            registered.setdefault(reader.user.id, set()).add(practice_id)
    load: dict[str | None, int] = dict(
        session.exec(
            select(Case.assignee_id, func.count())
            .where(col(Case.assignee_id).in_(names), col(Case.is_open), Case.version == 0)
            .group_by(col(Case.assignee_id))
        ).all()
    )
    readers = [
        ReaderLoad(user_id, name, load.get(user_id, 0), is_approver, frozenset(registered[user_id]))
        for user_id, (name, is_approver) in names.items()
    ]
    return sorted(readers, key=lambda reader: (reader.open_cases, reader.name))
