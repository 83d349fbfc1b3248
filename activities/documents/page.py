"""The page of a report: from a `ReportDocument` to HTML, through a sandboxed Jinja environment.

What people wrote is only ever a value, never a template, and every value is escaped.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache, partial
from gettext import NullTranslations
from typing import Any, Final, NamedTuple
from unicodedata import bidirectional
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from activities.documents import pictures
from activities.documents.document import STATUS_LABELS, DocumentStatus, ReportDocument, locale_of
from schemas.clinical import PURPOSE_LABELS, SEX_LABELS
from schemas.report_changes import SECTION_LABELS, SectionChange, diff
from schemas.report_parts import (
    CRITICALITY_LABELS,
    METHOD_LABELS,
    MODALITY_LABELS,
    QUALITY_LABELS,
    REGION_STATUS_LABELS,
)
from schemas.signed_report import AMENDMENT_LABELS, Signature
from schemas.sla import AmendmentKind
from schemas.teeth import UNIDENTIFIED_CODE, Notation, in_order, parse, show

WIDE: Final = 1.9
"""From this ratio of width to height on, a picture gets a row of its own (panoramic, 2:1 and wider)."""

_TRANSLATIONS: Final = NullTranslations()
_: Final = _TRANSLATIONS.gettext

_LABELS: Final[dict[str, dict[Any, str]]] = {
    "amendment": AMENDMENT_LABELS,
    "criticality": CRITICALITY_LABELS,
    "method": METHOD_LABELS,
    "modality": MODALITY_LABELS,
    "purpose": PURPOSE_LABELS,
    "quality": QUALITY_LABELS,
    "region_status": REGION_STATUS_LABELS,
    "section": SECTION_LABELS,
    "sex": SEX_LABELS,
}


_NOTATION_NAMES: Final = {
    Notation.FDI: "FDI (ISO 3950)",
    Notation.UNIVERSAL: "Universal (ADA)",
    Notation.PALMER: "Palmer",
}


class Figure(NamedTuple):
    """One key image in its place."""

    number: int
    picture: pictures.Picture
    caption: str
    spacing_note: str

    @property
    def wide(self) -> bool:
        return self.picture.width >= WIDE * self.picture.height


@lru_cache(maxsize=1)
def environment() -> ImmutableSandboxedEnvironment:
    """The one environment: sandboxed, escaping everything, strict about names, with gettext installed."""
    made = ImmutableSandboxedEnvironment(
        loader=PackageLoader("activities.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(_TRANSLATIONS, newstyle=True)  # type: ignore[attr-defined] # the extension adds it
    made.filters["prose_lines"] = prose_lines
    made.filters["base_direction"] = base_direction
    return made


def html(document: ReportDocument) -> str:
    """The whole page as HTML, pictures included as ``data:`` addresses. Raises UnusablePicture."""
    locale = locale_of(document.locale)
    content = document.content
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            content=content,
            letterhead=document.letterhead,
            patient=document.patient,
            report=document.report,
            text_version=document.text_version,
            state=document.status.value,
            status_label=STATUS_LABELS[document.status],
            labels=_LABELS,
            logo=pictures.logo(document.letterhead.logo) if document.letterhead.logo else None,
            figure_rows=_rows(_figures(document)),
            changes=_changes(document),
            age=age_in_years(document.patient.birth_date, content.examination.acquired_on or document.day),
            finding_numbers={finding.id: number for number, finding in enumerate(content.findings, start=1)},
            addendum_approvers=_addendum_approvers(document),
            notation_name=_NOTATION_NAMES[document.notation],
            teeth=partial(teeth_text, document.notation),
            day=partial(_day, locale),
            moment=_moment(locale, document.time_zone),
            number=partial(_number, locale),
            direction="rtl" if locale.text_direction == "rtl" else "ltr",
        )
    )


def watermark_css(document: ReportDocument) -> str:
    """A style sheet that writes the status across every page, as a background; empty for a final report.

    A background is an artifact for assistive technology (PDF/UA-1, 7.1): the banner says the same in the text.
    """
    if document.status is DocumentStatus.FINAL:
        return ""
    words = escape(_status_text(document).upper())
    size = min(15.0, 190 / max(len(words), 1))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 210 297">'
        f'<text x="105" y="150" font-family="OdontoFlow Sans" font-weight="600" font-size="{size:.1f}" fill="#b3261e" '
        f'fill-opacity="0.13" text-anchor="middle" transform="rotate(-52 105 148)">{words}</text></svg>'
    )
    return (
        f'@page {{ background: url("data:image/svg+xml,{quote(svg)}") center / 210mm 297mm no-repeat; '
        "-weasy-background-clip: border-box }"
    )


class ProseLine(NamedTuple):
    """One line of prose with its own base direction, as its first strong letter sets it (Unicode UAX #9, rule P2)."""

    text: str
    direction: str
    opens_block: bool


def prose_lines(text: str) -> list[ProseLine]:
    """The lines of a text; the first line after an empty one opens a block."""
    return [
        ProseLine(line, base_direction(line), index == 0)
        for block in text.split("\n\n")
        for index, line in enumerate(block.split("\n"))
        if line
    ]


def base_direction(text: str) -> str:
    """``rtl`` or ``ltr`` by the first strong letter; ``ltr`` where there is none."""
    for letter in text:
        kind = bidirectional(letter)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def teeth_text(notation: Notation, codes: Iterable[str]) -> str:
    """Stored codes in display order and in the chosen notation."""
    shown = [show(tooth, notation) for tooth in in_order(parse(code, Notation.FDI) for code in codes)]
    unidentified = _("unidentified tooth")
    return ", ".join(unidentified if text.startswith(UNIDENTIFIED_CODE) else text for text in shown)


def age_in_years(born: date | None, on: date) -> int | None:
    """Whole years at a date; None where there is no birth date, or where it lies later."""
    if born is None or born > on:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _status_text(document: ReportDocument) -> str:
    return _(STATUS_LABELS[document.status]) % {"version": document.superseded_by}


def _addendum_approvers(document: ReportDocument) -> dict[int, Signature]:
    """Who approved which addendum, by the version that the addendum made."""
    versions = (*document.earlier, document.report) if document.report else ()
    return {
        version.version: version.approver
        for version in versions
        if version.kind is AmendmentKind.APPENDED and version.approver
    }


def _changes(document: ReportDocument) -> tuple[SectionChange, ...]:
    if document.report is None or not document.earlier:
        return ()
    return diff(document.earlier[-1], document.report)


def _figures(document: ReportDocument) -> list[Figure]:
    assets = {asset.image_id: asset for asset in document.images}
    return [
        Figure(
            number, pictures.key_image(assets[image.image_id].data), image.caption, assets[image.image_id].spacing_note
        )
        for number, image in enumerate(document.content.key_images, start=1)
    ]


def _rows(figures: Iterable[Figure]) -> list[list[Figure]]:
    """Two figures a row; a wide one alone. The order stays."""
    rows: list[list[Figure]] = []
    for figure in figures:
        if rows and not figure.wide and len(rows[-1]) == 1 and not rows[-1][0].wide:
            rows[-1].append(figure)
        else:
            rows.append([figure])
    return rows


def _day(locale: Locale, value: date) -> str:
    """In English as on the pages, whatever the country: its countries disagree about what comes first."""
    return format_date(value, "d MMM y" if locale.language == "en" else "medium", locale=locale)


def _moment(locale: Locale, zone: str) -> Callable[[datetime], str]:
    """Date, minute and zone, as the practice's clock shows them."""
    tzinfo = ZoneInfo(zone)

    def moment(value: datetime) -> str:
        day = _day(locale, value.astimezone(tzinfo))
        return f"{day}, {format_datetime(value, 'HH:mm zzz', tzinfo=tzinfo, locale=locale)}"

    return moment


def _number(locale: Locale, value: float) -> str:
    return format_decimal(value, locale=locale)
