"""Jinja2 for the pages: autoescaped, strict about undefined names, translatable.

``render`` knows nothing of a request. What depends on the person who looks (time zone, locale, the moment that counts as
now) comes as a ``Reader``; filters take it from a context variable, so that component macros can be imported once and
need no extra argument.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from infra.translation import script_words, translations
from schemas.translation import N_
from ui.static_files import static_files

TEMPLATES: Final = Path(__file__).parent / "templates"

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes a page is for: IANA time zone, locale, and the moment (aware, UTC) that relative times count from."""

    zone: str = "UTC"
    locale: str = "en_GB"
    now: datetime | None = None

    @property
    def moment(self) -> datetime:
        return self.now or datetime.now(UTC)


_NOBODY: Final = Reader()
_reader: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def render(name: str, reader: Reader | None = None, **context: Any) -> str:
    """The page or fragment ``name`` (such as ``pages/case.html``) as text.

    Raises ``jinja2.UndefinedError`` when the template names something that ``context`` lacks.
    """
    who = reader or Reader()
    token = _reader.set(who)
    try:
        return environment(who.locale).get_template(name).render(context)
    finally:
        _reader.reset(token)


@lru_cache(maxsize=8)
def environment(locale: str = "en_GB") -> Environment:
    """One environment a locale: macros imported by a template are cached with their language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(locale), newstyle=True)  # type: ignore[attr-defined] # the extension adds it
    made.filters.update(
        at=at,
        day=day,
        hour=hour,
        local=local,
        ago=ago,
        span=span,
        iso=iso,
        seconds=seconds,
        bytes=size,
        teeth=teeth,
        count=count,
    )
    # `_("literal")` answers markup, because its text is the template's own. A message that comes from data (a state's word,
    # a wait's sentence) goes through `tr`, whose answer is escaped like any other text.
    made.globals["tr"] = translations(locale).gettext
    made.globals["script_words"] = script_words(locale)
    made.globals.update(static=lambda path: static_files().url(path), built=lambda path: static_files().has(path))
    return made


def at(moment: datetime) -> str:
    """``24 Nov 2026, 09:04`` in the reader's zone; the year is left out while it is the reader's own."""
    who = _reader.get()
    zone = ZoneInfo(who.zone)
    local, today = moment.astimezone(zone), who.moment.astimezone(zone)
    if local.date() == today.date():
        return hour(moment)
    pattern = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
    return format_datetime(local, pattern, locale=who.locale)


def day(moment: date) -> str:
    """``24 November 2026`` in the reader's zone. A plain date (a birth date) is shown as it is, in no zone."""
    who = _reader.get()
    local = moment.astimezone(ZoneInfo(who.zone)) if isinstance(moment, datetime) else moment
    return format_date(local, "d MMM y", locale=who.locale)


def hour(moment: datetime) -> str:
    """``09:04`` in the reader's zone."""
    who = _reader.get()
    return format_time(moment.astimezone(ZoneInfo(who.zone)), "HH:mm", locale=who.locale)


def local(moment: datetime) -> str:
    """``2026-11-24T09:04`` in the reader's zone, as ``<input type="datetime-local">`` takes it."""
    return moment.astimezone(ZoneInfo(_reader.get().zone)).strftime("%Y-%m-%dT%H:%M")


def ago(moment: datetime) -> str:
    """``3 h ago``, ``in 20 min``, ``just now``: for the eye; the absolute time goes beside it in a title."""
    who = _reader.get()
    _ = translations(who.locale).gettext
    left = (moment - who.moment).total_seconds()
    if abs(left) < _MINUTE:
        return _("just now")
    words = span(timedelta(seconds=abs(left)))
    return (_("in %(span)s") if left > 0 else _("%(span)s ago")) % {"span": words}


def span(length: timedelta) -> str:
    """A length of time in its two largest units: ``2 d 4 h``, ``3 h 05 min``, ``12 min``."""
    _ = translations(_reader.get().locale).gettext
    total = int(abs(length.total_seconds()))
    if total >= _DAY:
        days, hours = total // _DAY, total % _DAY // _HOUR
        return (_("%(days)d d %(hours)d h") if hours else _("%(days)d d")) % {"days": days, "hours": hours}
    hours, minutes = total // _HOUR, total % _HOUR // _MINUTE
    if hours:
        return (_("%(hours)d h %(minutes)02d min") if minutes else _("%(hours)d h")) % {
            "hours": hours,
            "minutes": minutes,
        }
    return _("%(minutes)d min") % {"minutes": minutes}


def iso(moment: date) -> str:
    """ISO 8601 in UTC to the second, for ``<time datetime>`` and for scripts. A plain date stays a date."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def size(amount: int) -> str:
    """Bytes as people read them: ``740 kB``, ``210 MB``, ``1.2 GB`` (decimal units, as file managers show them)."""
    locale = _reader.get().locale
    value, unit = float(amount), translations(locale).gettext(N_("bytes"))
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    shown = round(value, 1) if value < 10 and amount >= 1000 else round(value)
    return f"{format_decimal(shown, locale=locale)} {unit}"


def teeth(labels: Iterable[str]) -> str:
    """Tooth labels, already in the reader's notation and order, as one phrase: ``36, 37 and 38``."""
    items = [str(label) for label in labels]
    if len(items) < 2:
        return "".join(items)
    _ = translations(_reader.get().locale).gettext
    return _("%(first)s and %(last)s") % {"first": ", ".join(items[:-1]), "last": items[-1]}


def count(number: int) -> str:
    """A whole number with the locale's grouping: ``12,480``."""
    return format_decimal(number, locale=_reader.get().locale)
