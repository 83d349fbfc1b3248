"""The audit trail: one row an act, written in the act's own transaction; a sealer links the rows into one chain.

A row's hash covers its content; the chain's hash covers the row's and the one before. The chain's head is written to a
file outside the database, so that cutting off the end of the table is seen too.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from infra.database import Database, take_numbers
from schemas.messages import Actor
from schemas.tables.wires import AuditRow, Head

PLATFORM_SCOPE: Final = "platform"
_CHAIN: Final = "audit-chain"
_SCOPE: Final = "audit:"
_BATCH: Final = 500
_ADD: Final = insert(AuditRow.metadata.tables["audit"])
GENESIS: Final = "0" * 64


def write_audit(
    session: Session,
    *,
    scope: str,
    act: str,
    actor: Actor,
    at: datetime,
    outcome: str = "done",
    subject_id: str | None = None,
    command_id: str | None = None,
    detail: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Adds the row of one act. Take it after all other writes of the transaction and before the feed's numbers."""
    row = AuditRow(
        scope=scope,
        scope_seq=take_numbers(session, f"{_SCOPE}{scope}"),
        act=act,
        outcome=outcome,
        actor_id=actor.user_id,
        actor_role=actor.role,
        session_id=actor.session_id,
        subject_id=subject_id,
        command_id=command_id,
        denial_of=command_id if outcome == "denied" else None,
        detail=json.dumps(dict(detail or {}), sort_keys=True, separators=(",", ":")),
        at=at,
        row_hash="",
    )
    session.connection().execute(_ADD, _complete(row))


def write_audits(
    session: Session, *, scope: str, act: str, actor: Actor, at: datetime, subject_ids: Sequence[str]
) -> None:
    """Adds a row for each of those to which one and the same was done, in their order. As ``write_audit``."""
    if not subject_ids:
        return
    first = take_numbers(session, f"{_SCOPE}{scope}", len(subject_ids))
    rows = [
        AuditRow(
            scope=scope,
            scope_seq=number,
            act=act,
            outcome="done",
            actor_id=actor.user_id,
            actor_role=actor.role,
            session_id=actor.session_id,
            subject_id=subject_id,
            at=at,
            row_hash="",
        )
        for number, subject_id in enumerate(subject_ids, first)
    ]
    session.connection().execute(_ADD, [_complete(row) for row in rows])


def _complete(row: AuditRow) -> dict[str, Any]:
    return row.model_dump(exclude={"id"}) | {"row_hash": row_hash(row)}


def row_hash(row: AuditRow) -> str:
    """SHA-256 over everything that an act's row says, as canonical JSON."""
    content = [
        row.scope,
        row.scope_seq,
        row.act,
        row.outcome,
        row.actor_id,
        row.actor_role,
        row.session_id,
        row.subject_id,
        row.command_id,
        row.denial_of,
        row.detail,
        row.at.isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _link(previous: str, row: AuditRow, number: int) -> str:
    return hashlib.sha256(f"{previous}:{number}:{row.row_hash}".encode()).hexdigest()


class AuditSealer:
    """Links rows that are not yet in the chain, and anchors the head. One sealer works at a time: the head is locked."""

    def __init__(self, database: Database, anchor_file: Path) -> None:
        self._database = database
        self._anchor_file = anchor_file

    def seal(self) -> int:
        """Seals up to 500 rows; returns how many. Blocking."""
        with self._database.write() as session:
            # The head is locked before the rows are read: a sealer that read first would seal another one's rows again.
            take_numbers(session, _CHAIN, 0)
            rows = session.exec(
                select(AuditRow).where(col(AuditRow.chain_seq).is_(None)).order_by(col(AuditRow.id)).limit(_BATCH)
            ).all()
            if not rows:
                return 0
            first = take_numbers(session, _CHAIN, len(rows))
            previous = GENESIS
            if first > 1:
                last = session.exec(select(AuditRow.chain_hash).where(AuditRow.chain_seq == first - 1)).first()
                previous = last or ""  # cut off: the break stays visible, and what comes after is sealed all the same
            for number, row in enumerate(rows, first):
                row.chain_seq = number
                row.chain_hash = previous = _link(previous, row, number)
            session.flush()
        self._anchor(first + len(rows) - 1, previous)
        return len(rows)

    def _anchor(self, number: int, chain_hash: str) -> None:
        self._anchor_file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"chain_seq": number, "chain_hash": chain_hash}) + "\n"
        descriptor = os.open(self._anchor_file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = f"\n{line}"  # a line that was cut off must not spoil this one
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Break:
    """A place where the trail does not hold: where, and what is wrong."""

    where: str
    what: str


def verify_audit(database: Database, anchor_file: Path) -> list[Break]:
    """Every edited, deleted, reordered or cut-off row of the trail. Empty means that it is whole. Blocking."""
    anchors, breaks = _anchors(anchor_file)
    with database.read() as session:
        heads = dict(session.exec(select(Head.name, Head.value)).all())
        previous, expected = GENESIS, 1
        for row in _sealed(session):
            where = f"chain {row.chain_seq}"
            if row.chain_seq != expected:
                breaks.append(Break(where, f"row {expected} is missing"))
                expected = row.chain_seq or expected
            if row.row_hash != row_hash(row):
                breaks.append(Break(where, "its content was changed"))
            if row.chain_hash != _link(previous, row, expected):
                breaks.append(Break(where, "it does not follow from the row before"))
            if expected in anchors and anchors.pop(expected) != row.chain_hash:
                breaks.append(Break(where, "its anchor outside the database says otherwise"))
            previous, expected = row.chain_hash or "", expected + 1
        breaks.extend(Break(f"chain {number}", "anchored, but cut off from the table") for number in sorted(anchors))
        if expected <= heads.get(_CHAIN, 0):
            breaks.append(Break(f"chain {expected}", "sealed, but cut off from the table"))
        breaks.extend(_gaps(session, heads))
    return breaks


def _anchors(path: Path) -> tuple[dict[int, str], list[Break]]:
    """The anchors by their number, and the lines that are none. The last line may have been cut off by a power failure."""
    if not path.exists():
        return {}, []
    text = path.read_text(errors="replace")
    anchors: dict[int, str] = {}
    breaks = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        try:
            anchor = json.loads(line)
            anchors[int(anchor["chain_seq"])] = str(anchor["chain_hash"])
        except (ValueError, KeyError, TypeError):
            if line.endswith("\n"):
                breaks.append(Break(f"anchor line {number}", "it cannot be read"))
    return anchors, breaks


def _sealed(session: Session) -> Iterator[AuditRow]:
    after = 0
    while rows := session.exec(
        select(AuditRow).where(col(AuditRow.chain_seq) > after).order_by(col(AuditRow.chain_seq)).limit(_BATCH)
    ).all():
        yield from rows
        after = rows[-1].chain_seq or 0
        session.expunge_all()


def _gaps(session: Session, heads: Mapping[str, int]) -> Iterator[Break]:
    """Within a scope the numbers run from 1 to its counter without a gap, unsealed rows included (invariant 14).

    ``heads`` were read before: a row that is written meanwhile is no gap.
    """
    rows = session.exec(select(AuditRow.scope, func.count(), func.max(AuditRow.scope_seq)).group_by(AuditRow.scope))
    counts = {scope: (count, last) for scope, count, last in rows}
    given = {name.removeprefix(_SCOPE): value for name, value in heads.items() if name.startswith(_SCOPE)}
    for scope in sorted({*counts, *given}):
        count, last = counts.get(scope, (0, 0))
        missing = max(last, given.get(scope, 0)) - count
        if missing:
            yield Break(scope, f"{missing} of its rows are missing")
