"""Notices: what the bell counts."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    id: str
    text: str
    case_number: str
    url: str
    when: datetime
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesView:
    rows: tuple[NoticeRow, ...] = ()
    unread: int = 0
