"""What a report says when it stands over images that came after its signature. The signer writes none of it."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlmodel import Session

from activities.imaging.image_sets import files_of_set
from infra.translation import translations
from schemas.files import FileState
from schemas.signed_report import SignedReport
from schemas.tables.case import Case
from schemas.tables.people import Organization
from schemas.translation import N_

_REASON: Final = N_("Images were added after the signature.")
_ONE: Final = N_(
    "%(num)s file was added after version %(version)s was signed, the last on %(day)s. It was checked and read. "
    "The report stands as it was signed."
)
_MANY: Final = N_(
    "%(num)s files were added after version %(version)s was signed, the last on %(day)s. They were checked and read. "
    "The report stands as it was signed."
)


class Words(NamedTuple):
    reason: str
    statement: str


def report_stands(session: Session, row: Case, before: SignedReport, *, up_to: int) -> Words:
    """In the practice's language, about the readable files of the sets beyond the one that ``before`` covers."""
    practice = session.get_one(Organization, row.practice_id)
    language = translations(practice.locale)
    added = [
        file
        for file in files_of_set(session, row.id, up_to)
        if (file.first_set or 0) > before.covered.image_set and file.state == FileState.READY
    ]
    if not added:
        raise ValueError("a report stands over files that were added")
    last = max(file.created_at for file in added).astimezone(ZoneInfo(practice.time_zone))
    facts = {
        "num": len(added),
        "version": before.version,
        "day": format_date(last, "d MMMM y", locale=practice.locale),
    }
    return Words(language.gettext(_REASON), language.ngettext(_ONE, _MANY, len(added)) % facts)
