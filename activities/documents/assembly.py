"""Gathers everything that a report's PDF shows: the only reader of the database for documents."""

import hashlib
from typing import Final

from sqlmodel import Session, col, select

from activities.documents.document import (
    ImageAsset,
    Letterhead,
    PageSize,
    PatientBlock,
    ReadingGroup,
    ReportDocument,
)
from activities.documents.process import PdfRenderer
from activities.effects import Finish
from activities.records.commands import stored_form
from activities.records.covered import pictures_of
from activities.records.signing import opened_version
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_sealed, seal
from schemas.errors import NotFound
from schemas.ids import new_id
from schemas.lifecycle import Action
from schemas.signed_report import SignedReport, Withdrawal
from schemas.state import Effect
from schemas.tables.case import Case, CaseTransition
from schemas.tables.people import Organization, User
from schemas.tables.report import ReportPdf, ReportVersion

_OVERRIDE_NOTICE: Final = (
    "The images carried another identity than the case. The practice confirmed, and a radiologist agreed, that they are "
    "this patient's."
)


def signed_versions(session: Session, keys: KeyStore, case_id: str) -> list[SignedReport]:
    """Every signed version, the first first."""
    rows = session.exec(
        select(ReportVersion).where(ReportVersion.case_id == case_id).order_by(col(ReportVersion.version))
    ).all()
    return [opened_version(keys, row) for row in rows]


def assemble(session: Session, keys: KeyStore, case_id: str, version: int | None = None) -> ReportDocument:
    """The document of a version, or of the latest. Raises NotFound when there is no such version.

    What it says is what was signed; of today are the paper, the colour, and what became of the version since.
    """
    row = session.get_one(Case, case_id)
    versions = signed_versions(session, keys, case_id)
    if not versions or (version is not None and not 1 <= version <= len(versions)):
        raise NotFound()
    report = versions[(version or len(versions)) - 1]
    patient, practice, study = report.patient, report.practice, report.study
    today = session.get_one(Organization, row.practice_id)
    group = study.reading_group
    return ReportDocument(
        report_id=study.accession_number,
        case_reference=study.accession_number,
        page_size=PageSize.LETTER if today.paper.lower() == "letter" else PageSize.A4,
        letterhead=Letterhead(
            name=practice.name,
            address_lines=practice.address_lines,
            phone=practice.phone,
            accent=today.accent_colour,
        ),
        reading_group=ReadingGroup(name=group.name, address_lines=group.address_lines, phone=group.phone)
        if group
        else None,
        patient=PatientBlock(
            name=patient.name,
            birth_date=patient.birth_date,
            sex=patient.sex,
            patient_id=patient.number,
            issuer=patient.issuer,
        ),
        referrer=study.referrer,
        copies_to=study.copies_to,
        report=report,
        earlier=tuple(versions[: report.version - 1]),
        superseded_by=len(versions) if len(versions) > report.version else None,
        withdrawal=_withdrawal(session, keys, row),
        notices=(_OVERRIDE_NOTICE,) if study.identity_overridden else (),
        images=_images(session, keys, case_id, report),
        notation=practice.notation,
        locale=practice.locale,
        time_zone=practice.time_zone,
        generated_at=now(),
    )


def _withdrawal(session: Session, keys: KeyStore, row: Case) -> Withdrawal | None:
    """Who withdrew the report and why: the actor of that step, who need not have signed any version."""
    step = session.exec(
        select(CaseTransition).where(CaseTransition.case_id == row.id, CaseTransition.action == Action.ENTER_IN_ERROR)
    ).one_or_none()
    if step is None:
        return None
    reason = str(stored_form(session, keys, step.command_id).get("reason", ""))
    return Withdrawal(name=session.get_one(User, step.actor_id).name, at=step.at, reason=reason)


def _images(session: Session, keys: KeyStore, case_id: str, report: SignedReport) -> tuple[ImageAsset, ...]:
    wanted = [image.image_id for image in report.content.key_images]
    return tuple(
        ImageAsset(image_id=image_id, data=data)
        for image_id, data in pictures_of(session, keys, case_id, wanted)
        if data is not None
    )


class PdfStore:
    """Performs the effect ``render_pdf``, and gives documents out. Blocking."""

    def __init__(self, database: Database, keys: KeyStore, renderer: PdfRenderer) -> None:
        self._database = database
        self._keys = keys
        self._renderer = renderer

    def render(self, effect: Effect, case_id: str) -> Finish:
        """Renders a version while it is the latest, so that it is at hand when somebody opens it."""
        version = effect.version or 1
        with self._database.read() as session:
            document = assemble(session, self._keys, case_id, version)
            key = self._keys.data_key(session.get_one(Case, case_id).key_id)
        content = self._renderer.render(document)
        pdf_id = new_id("rep")
        row = ReportPdf(
            id=pdf_id,
            case_id=case_id,
            version=version,
            content=seal(key, content, column_aad("report_pdf", pdf_id, "content")),
            sha256=hashlib.sha256(content).hexdigest(),
            created_at=now(),
        )

        def finish(session: Session) -> None:
            known = select(ReportPdf.id).where(ReportPdf.case_id == case_id, ReportPdf.version == version)
            if document.superseded_by is None and session.exec(known).first() is None:
                session.add(row)

        return finish

    def pdf(self, case_id: str, version: int | None) -> bytes:
        """The document of a version: from the store while it is the latest, else rendered with its watermark."""
        with self._database.read() as session:
            case = session.get_one(Case, case_id)
            wanted = version or case.version
            stored = session.exec(
                select(ReportPdf).where(ReportPdf.case_id == case_id, ReportPdf.version == wanted)
            ).one_or_none()
            if stored is not None and wanted == case.version and case.state != "entered_in_error":
                return open_sealed(self._keys, stored.content, column_aad("report_pdf", stored.id, "content"))
            document = assemble(session, self._keys, case_id, wanted)
        return self._renderer.render(document)
