"""The patient's page."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlmodel import Session

from activities.records.opening import demographics_of, form_of
from api.portal import Visit
from api.release_links import Link
from api.reports import signed_versions
from api.views import names_of
from infra.keystore import KeyStore
from schemas.clinical import N_
from schemas.lifecycle import State
from schemas.signed_report import SignedReport
from schemas.sla import AmendmentKind
from schemas.tables.people import Organization, Patient
from ui.assemble.report import report_view
from ui.assemble.studies import series_of, series_views
from ui.templating import Reader, translations
from ui.views import FormState, ImagesView, Page, PortalView

_SUPERSEDED: Final = {
    AmendmentKind.APPENDED: N_("Something was added to this report on %(when)s. This is the whole of it."),
    AmendmentKind.CORRECTED: N_(
        "A mistake in this report was put right on %(when)s. Earlier copies do not count any more."
    ),
    AmendmentKind.AMENDED: N_("This report was changed on %(when)s. Earlier copies do not count any more."),
}
_AMENDING: Final = N_(
    "The radiologist is working on a change to this report. The new version will appear here; until then this one stands."
)


def portal_page(title: str, practice: Organization | None = None) -> Page:
    """Outside every session, in the practice's time zone."""
    reader = Reader(zone=practice.time_zone, locale=practice.locale) if practice else Reader()
    return Page(title=title, density="patient", reader=reader)


def asking(link: Link, url: str, form: FormState, *, code: bool) -> PortalView:
    """Before both factors: the practice, and nothing else."""
    return PortalView(
        stage="code" if code else "birth_date",
        url=url,
        practice=link.practice.name,
        practice_phone=link.practice.phone,
        form=form,
    )


def opened(session: Session, keys: KeyStore, visit: Visit, url: str) -> PortalView:
    """Behind both factors: the latest signed version, and the images."""
    link = visit.link
    versions = signed_versions(session, keys, link.case.id)
    patient = demographics_of(keys, session.get_one(Patient, link.grant.patient_id))
    rows = series_of(session, visit.key, link.case.id, submitted_only=True)
    dentist = names_of(session, [link.case.created_by]).get(link.case.created_by, "")
    return PortalView(
        stage="open",
        url=url,
        practice=link.practice.name,
        practice_phone=link.practice.phone,
        patient=patient.full_name,
        report=report_view(versions[-1:], lambda _: f"{url}/report.pdf"),
        images=series_views(rows, f"{url}/dicomweb"),
        superseded=_superseded(versions, State(link.case.state), link.practice),
        expires=link.grant.expires_at,
        dentist=form_of(keys, link.case).referrer or dentist,
    )


def images_view(session: Session, visit: Visit, url: str, series_uid: str) -> ImagesView:
    """The study of the chosen series first."""
    rows = series_of(session, visit.key, visit.link.case.id, submitted_only=True)
    ordered = sorted(rows, key=lambda row: row.series_uid != series_uid)
    _ = translations(visit.link.practice.locale).gettext
    return ImagesView(
        title=_(N_("Your images")),
        about=visit.link.practice.name,
        back_url=url,
        back_word=_(N_("Back to your report")),
        root=f"{url}/dicomweb",
        studies=tuple(dict.fromkeys(row.study_uid for row in ordered)),
        series=series_views(rows, f"{url}/dicomweb"),
    )


def _superseded(versions: Sequence[SignedReport], state: State, practice: Organization) -> str:
    _ = translations(practice.locale).gettext
    if state is State.AMENDING:
        return _(_AMENDING)
    latest = versions[-1]
    signed = latest.signed_at.astimezone(ZoneInfo(practice.time_zone))
    when = format_date(signed, "d MMMM y", locale=practice.locale)
    return _(_SUPERSEDED[latest.kind]) % {"when": when} if latest.kind else ""
