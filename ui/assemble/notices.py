"""Notices in words."""

from collections.abc import Sequence

from api.notices import Notice
from schemas.lifecycle import Action
from schemas.notices import SUBJECTS
from ui.assemble.looker import Looker
from ui.views import NoticeRow, NoticesView


def notices_page(notices: Sequence[Notice], looker: Looker) -> NoticesView:
    """A notice names the case by its number alone, as the mail does; the case says the rest."""
    rows = tuple(
        NoticeRow(
            id=notice.id,
            text=looker.say(_subject(notice.kind)),
            case_number=notice.case_number,
            url=f"/cases/{notice.case_id}",
            when=notice.at,
            is_read=notice.is_read,
        )
        for notice in notices
    )
    return NoticesView(rows=rows, unread=sum(not row.is_read for row in rows))


def _subject(kind: str) -> str:
    return SUBJECTS.get(Action(kind), SUBJECTS[Action.REMIND]) if kind in set(Action) else SUBJECTS[Action.REMIND]
