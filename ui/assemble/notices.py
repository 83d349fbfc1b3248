"""Notices in words."""

from collections.abc import Mapping, Sequence
from typing import Final

from api.notices import Notice
from schemas.mail import NOTICE_WORDS
from schemas.notices import SUBJECTS
from ui.assemble.looker import Looker
from ui.views import NoticeRow, NoticesView

WORDS: Final[Mapping[str, str]] = {**{str(step): words for step, words in SUBJECTS.items()}, **NOTICE_WORDS}
"""By kind. A kind without words is a mistake, and not one more case that waits."""


def notices_page(notices: Sequence[Notice], looker: Looker) -> NoticesView:
    """A notice names the case by its number alone, as the mail does; the case says the rest."""
    rows = tuple(
        NoticeRow(
            id=notice.id,
            text=looker.say(WORDS[notice.kind]),
            case_number=notice.case_number,
            url=f"/cases/{notice.case_id}",
            when=notice.at,
            is_read=notice.is_read,
        )
        for notice in notices
    )
    return NoticesView(rows=rows, unread=sum(not row.is_read for row in rows))
