"""Signed versions as they are read."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from schemas.report_changes import SECTION_LABELS, Dates, Section, section_texts
from schemas.signed_report import AMENDMENT_LABELS, SignedReport
from schemas.sla import AmendmentKind
from ui.views import ReportVersion, ReportView


def local_dates(zone: str, locale: str) -> Dates:
    """Days and moments inside a report's text, as everywhere on the pages of whoever reads it."""
    tzinfo = ZoneInfo(zone)

    def day(value: date) -> str:
        return format_date(value, "d MMM y", locale=locale)

    def moment(value: datetime) -> str:
        return f"{day(value.astimezone(tzinfo))}, {format_datetime(value, 'HH:mm zzz', tzinfo=tzinfo, locale=locale)}"

    return Dates(day, moment)


def report_view(
    versions: Sequence[SignedReport], pdf_url: Callable[[int], str], dates: Dates, withdrawn: str = ""
) -> ReportView:
    """All versions, the newest first. ``versions`` are in their order of signature and not empty.

    ``withdrawn`` is the reason why the latest was entered in error.
    """
    shown = [_version(version, pdf_url, dates) for version in reversed(versions)]
    if withdrawn:
        latest = shown[0]
        shown[0] = ReportVersion(
            number=latest.number,
            kind="entered-in-error",
            signed_at=latest.signed_at,
            author=latest.author,
            registration=latest.registration,
            impression=latest.impression,
            sections=latest.sections,
            reason=withdrawn,
            approver=latest.approver,
            pdf_url=latest.pdf_url,
        )
    return ReportView(versions=tuple(shown))


def _version(report: SignedReport, pdf_url: Callable[[int], str], dates: Dates) -> ReportVersion:
    return ReportVersion(
        number=report.version,
        kind=report.kind.value if report.kind else "original",
        signed_at=report.signed_at,
        author=report.author.name,
        registration=report.author.registration_number,
        approver=report.approver.name if report.approver else "",
        reason=report.reason,
        impression=report.content.impression,
        sections=tuple(_sections(report, dates)),
        pdf_url=pdf_url(report.version),
    )


def _sections(report: SignedReport, dates: Dates) -> Iterator[tuple[str, str]]:
    """Addenda come first: they were written because the rest was not enough."""
    for addendum in reversed(report.addenda):
        yield AMENDMENT_LABELS[AmendmentKind.APPENDED], addendum.text
    for section, text in section_texts(report.content, dates).items():
        if text and section not in {Section.IMPRESSION, Section.KEY_IMAGES}:
            yield SECTION_LABELS[section], text
