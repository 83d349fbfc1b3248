"""The position in a list, as a keyset: what its order makes of the last row. Opaque to clients, without content."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from schemas.errors import InvalidInput
from schemas.translation import N_

_NO_PLACE: Final = (ValueError, TypeError, OverflowError)
"""What reading raises where somebody made a position up; it includes what base64 and UTF-8 raise."""


class CursorInvalid(InvalidInput):
    code = "cursor_invalid"
    title = N_("This list's position is not valid any more. Start again from the first page.")


def write_cursor(moment: datetime, row_id: str) -> str:
    """Of a list by time."""
    return _write([moment.isoformat(), row_id])


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Raises CursorInvalid."""
    try:
        text, row_id = _read(cursor)
        return _moment(text), _text(row_id)
    except _NO_PLACE:
        raise CursorInvalid() from None


class Urgency(NamedTuple):
    """A case's place in a list by urgency. ``due_at`` is None while its clock does not run."""

    due_at: datetime | None
    rank: int
    created_at: datetime
    case_id: str


def write_urgency(place: Urgency) -> str:
    due = place.due_at.isoformat() if place.due_at else None
    return _write([due, place.rank, place.created_at.isoformat(), place.case_id])


def read_urgency(cursor: str) -> Urgency:
    """Raises CursorInvalid."""
    try:
        due, rank, created, case_id = _read(cursor)
        if not isinstance(rank, int) or not 0 <= rank < 1 << 31:
            raise ValueError
        return Urgency(None if due is None else _moment(due), rank, _moment(created), _text(case_id))
    except _NO_PLACE:
        raise CursorInvalid() from None


def _write(place: Sequence[str | int | None]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read(cursor: str) -> list[object]:
    found = json.loads(base64.urlsafe_b64decode(cursor))
    if not isinstance(found, list):
        raise TypeError
    return found


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)  # the first and the last day of the calendar may be beyond it in UTC


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # JSON can spell half a character, which no database takes
    return value
