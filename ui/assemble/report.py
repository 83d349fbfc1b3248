"""Signed versions as they are read."""

from collections.abc import Callable, Iterator, Sequence

from schemas.report_changes import SECTION_LABELS, Section, section_texts
from schemas.signed_report import AMENDMENT_LABELS, SignedReport
from schemas.sla import AmendmentKind
from ui.views import ReportVersion, ReportView


def report_view(versions: Sequence[SignedReport], pdf_url: Callable[[int], str], withdrawn: str = "") -> ReportView:
    """All versions, the newest first. ``versions`` are in their order of signature and not empty.

    ``withdrawn`` is the reason why the latest was entered in error.
    """
    shown = [_version(version, pdf_url) for version in reversed(versions)]
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


def _version(report: SignedReport, pdf_url: Callable[[int], str]) -> ReportVersion:
    return ReportVersion(
        number=report.version,
        kind=report.kind.value if report.kind else "original",
        signed_at=report.signed_at,
        author=report.author.name,
        registration=report.author.registration_number,
        approver=report.approver.name if report.approver else "",
        reason=report.reason,
        impression=report.content.impression,
        sections=tuple(_sections(report)),
        pdf_url=pdf_url(report.version),
    )


def _sections(report: SignedReport) -> Iterator[tuple[str, str]]:
    """Addenda come first: they were written because the rest was not enough."""
    for addendum in reversed(report.addenda):
        yield AMENDMENT_LABELS[AmendmentKind.APPENDED], addendum.text
    for section, text in section_texts(report.content).items():
        if text and section not in {Section.IMPRESSION, Section.KEY_IMAGES}:
            yield SECTION_LABELS[section], text
