"""The patient's page."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlmodel import Session

from activities.records.opening import demographics_of, form_of
from activities.records.projection import state_of
from api.imaging.files import photographs_of
from api.patient_images import shown_to_patient
from api.portal_facts import Visit
from api.release_links import Link
from api.reports import signed_versions
from api.views import names_of
from infra.keystore import KeyStore
from infra.translation import translations
from schemas.lifecycle import State
from schemas.report import ReportContent
from schemas.report_parts import MODALITY_LABELS, RegionStatus
from schemas.signed_report import SignedReport
from schemas.sla import AmendmentKind
from schemas.state import CaseState
from schemas.tables.people import Organization, Patient
from schemas.translation import N_
from ui.assemble.report import local_dates, report_view
from ui.assemble.studies import series_of, series_views
from ui.templating import Reader
from ui.views import FormState, ImagesView, Page, PortalView, StudyView

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
_LATE: Final = N_(
    "Images were added to your case after this report was signed. The radiologist is checking whether the report changes. "
    "Until then this report and the images below are the ones that count."
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
    rows = series_of(session, shown_to_patient(visit))
    dentist = names_of(session, [link.case.created_by]).get(link.case.created_by, "")
    return PortalView(
        stage="open",
        url=url,
        practice=link.practice.name,
        practice_phone=link.practice.phone,
        patient=patient.full_name,
        report=replace(
            report_view(
                versions[-1:], lambda _: f"{url}/report.pdf", local_dates(link.practice.time_zone, link.practice.locale)
            ),
            plain=plain_words(versions[-1].content, link.practice),
        ),
        images=series_views(rows, f"{url}/dicomweb") + _photographs(session, visit, f"{url}/photographs"),
        superseded=_superseded(versions, state_of(link.case), link.practice),
        expires=link.grant.expires_at,
        dentist=form_of(keys, link.case).referrer or dentist,
    )


def images_view(session: Session, visit: Visit, url: str, series_uid: str) -> ImagesView:
    """The study of the chosen series first."""
    rows = series_of(session, shown_to_patient(visit))
    ordered = sorted(rows, key=lambda row: row.series_uid != series_uid)
    _ = translations(visit.link.practice.locale).gettext
    return ImagesView(
        title=_(N_("Your images")),
        about=visit.link.practice.name,
        back_url=url,
        back_word=_(N_("Back to your report")),
        root=f"{url}/dicomweb",
        files_url=f"{url}/photographs",
        studies=tuple(dict.fromkeys(row.study_uid for row in ordered)),
        series=series_views(rows, f"{url}/dicomweb"),
    )


def _photographs(session: Session, visit: Visit, root: str) -> tuple[StudyView, ...]:
    """Without the names of their files, which are the practice's own."""
    word = translations(visit.link.practice.locale).gettext(N_("Photograph"))
    found = photographs_of(session, shown_to_patient(visit), root)
    return tuple(
        StudyView(
            id=each.id,
            name=word,
            detail=word,
            images=1,
            size=each.size,
            state="ready",
            preview=each.thumbnail_url or "",
            url=each.url or "",
        )
        for each in found
    )


def plain_words(content: ReportContent, practice: Organization) -> str:
    """What the report's structure alone can say to a patient. What it means for them is the dentist's to say."""
    _ = translations(practice.locale).gettext
    made = _(MODALITY_LABELS[content.examination.modality])
    when = content.examination.acquired_on
    said = [
        _(N_("%(images)s of %(day)s.")) % {"images": made, "day": _day(when, practice)}
        if when
        else _(N_("%(images)s.")) % {"images": made}
    ]
    found = [region for region in content.regions if region.status is RegionStatus.FINDING]
    normal = [region for region in content.regions if region.status is RegionStatus.NORMAL]
    seen = len(found) + len(normal)
    if seen and not found:
        said.append(_(N_("The radiologist looked at %(seen)s regions; all of them are normal.")) % {"seen": seen})
    elif seen:
        names = ", ".join(_(region.label).lower() for region in found)
        said.append(
            _(
                N_(
                    "The radiologist looked at %(seen)s regions; %(normal)s are normal. There is a finding in: %(names)s."
                )
            )
            % {"seen": seen, "normal": len(normal), "names": names}
        )
    said.extend(_follow_ups(content, practice))
    said.append(_(N_("The report below is written for your dentist, who will explain what it means for you.")))
    return " ".join(said)


def _follow_ups(content: ReportContent, practice: Organization) -> Iterator[str]:
    language = translations(practice.locale)
    for item in content.recommendations:
        follow = item.follow_up
        if follow is not None and follow.due_on is not None:
            day = _day(follow.due_on, practice)
            yield language.gettext(N_("A check is recommended on %(day)s.")) % {"day": day}
        elif follow is not None and follow.due_months is not None:
            one, many = N_("A check is recommended in %(num)s month."), N_("A check is recommended in %(num)s months.")
            yield language.ngettext(one, many, follow.due_months) % {"num": follow.due_months}


def _day(day: date, practice: Organization) -> str:
    return format_date(day, "d MMMM y", locale=practice.locale)


def _superseded(versions: Sequence[SignedReport], case: CaseState, practice: Organization) -> str:
    _ = translations(practice.locale).gettext
    if case.late is not None:
        return _(_LATE)
    if case.state is State.AMENDING:
        return _(_AMENDING)
    latest = versions[-1]
    signed = latest.signed_at.astimezone(ZoneInfo(practice.time_zone))
    when = _day(signed, practice)
    return _(_SUPERSEDED[latest.kind]) % {"when": when} if latest.kind else ""
