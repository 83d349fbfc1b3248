"""Whose eyes a page is assembled for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from infra.translation import translations
from schemas.access import Person
from schemas.ages import age_on
from schemas.lifecycle import Role
from schemas.teeth import Notation, written
from ui.templating import Reader


@dataclass(frozen=True, slots=True)
class Looker:
    """``role`` is the one whose pages the person lands on; ``reader.now`` is fixed, so that one page has one moment."""

    person: Person
    reader: Reader
    role: Role
    notation: Notation = Notation.FDI

    @property
    def moment(self) -> datetime:
        return self.reader.moment

    @property
    def is_reader(self) -> bool:
        return self.role is Role.RADIOLOGIST

    def say(self, message: str, **values: object) -> str:
        """A message in the person's language, with its values set in. Plain text: templates escape it."""
        text = translations(self.reader.locale).gettext(message)
        return text % values if values else text

    def say_many(self, one: str, many: str, number: int) -> str:
        return translations(self.reader.locale).ngettext(one, many, number) % {"num": number}

    def teeth(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Stored codes as this person writes teeth, in the order of the arches."""
        return written(codes, self.notation)

    def day(self, moment: date) -> str:
        """A day in the person's zone and words: ``24 Nov 2026``."""
        local = moment.astimezone(ZoneInfo(self.reader.zone)) if isinstance(moment, datetime) else moment
        return format_date(local, "d MMM y", locale=self.reader.locale)

    def age_on(self, born: date) -> int:
        """Whole years; the day is that of UTC, as it is for the rules."""
        return age_on(born, self.moment.date())
