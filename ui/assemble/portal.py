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
from api.patient_images import shown_to_patient
from api.portal_facts import Visit
from api.reading_order import ReadSeries, for_patient, reading_order
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
from ui.assemble.studies import series_row, series_views, study_uids
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
        images=_images(session, visit, url),
        superseded=_superseded(versions, state_of(link.case), link.practice),
        expires=link.grant.expires_at,
        dentist=form_of(keys, link.case).referrer or dentist,
    )


def images_view(session: Session, visit: Visit, url: str, series_uid: str) -> ImagesView:
    """``series_uid`` is opened first."""
    images = shown_to_patient(visit)
    _ = translations(visit.link.practice.locale).gettext
    return ImagesView(
        title=_(N_("Your images")),
        about=visit.link.practice.name,
        back_url=url,
        back_word=_(N_("Back to your report")),
        root=f"{url}/dicomweb",
        files_url=f"{url}/photographs",
        series_url=f"{url}/series",
        first=series_uid,
        studies=tuple(study_uids(session, images)),
        series=series_views(
            [
                series_row(images, entry)
                for entry in for_patient(reading_order(session, images))
                if isinstance(entry, ReadSeries)
            ],
            f"{url}/dicomweb",
        ),
    )


def _images(session: Session, visit: Visit, url: str) -> tuple[StudyView, ...]:
    """In the practice's order, without its words. Photographs too, without the names of their files, which are its own."""
    images = shown_to_patient(visit)
    word = translations(visit.link.practice.locale).gettext(N_("Photograph"))
    found: list[StudyView] = []
    for entry in for_patient(reading_order(session, images)):
        if isinstance(entry, ReadSeries):
            found += series_views([series_row(images, entry)], f"{url}/dicomweb")
            continue
        found += (
            StudyView(
                id=file.id,
                name=word,
                detail=word,
                images=1,
                size=file.size,
                state="ready",
                preview=f"{url}/photographs/{file.id}/thumbnail",
                url=f"{url}/photographs/{file.id}",
            )
            for file in (entry.file, *entry.others)
        )
    return tuple(found)


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
