"""The position in a list, as a keyset: the moment and the id of the last row. Opaque to clients, without content."""

import base64
import binascii
import json
from datetime import datetime

from schemas.errors import InvalidInput


class CursorInvalid(InvalidInput):
    code = "cursor_invalid"
    title = "This list's position is not valid any more. Start again from the first page."


def write_cursor(moment: datetime, row_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), row_id]).encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Raises CursorInvalid."""
    try:
        text, row_id = json.loads(base64.urlsafe_b64decode(cursor))
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError, binascii.Error):
        raise CursorInvalid() from None
    if moment.tzinfo is None or not isinstance(row_id, str):
        raise CursorInvalid()
    return moment, row_id
