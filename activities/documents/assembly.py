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
from activities.records.opening import contract_of, demographics_of, form_of
from activities.records.projection import state_of
from activities.records.signing import opened_version
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_sealed, seal
from schemas.errors import NotFound
from schemas.ids import new_id
from schemas.lifecycle import Action
from schemas.signed_report import SignedReport, Withdrawal
from schemas.state import Effect, IdentityStanding
from schemas.tables.case import Case, CaseTransition
from schemas.tables.imaging import KeyImage
from schemas.tables.people import Organization, Patient
from schemas.tables.report import ReportPdf, ReportVersion
from schemas.teeth import Notation

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
    """The document of a version, or of the latest. Raises NotFound when there is no such version."""
    row = session.get_one(Case, case_id)
    versions = signed_versions(session, keys, case_id)
    if not versions or (version is not None and not 1 <= version <= len(versions)):
        raise NotFound()
    report = versions[(version or len(versions)) - 1]
    patient = demographics_of(keys, session.get_one(Patient, row.patient_id))
    practice = session.get_one(Organization, row.practice_id)
    form = form_of(keys, row)
    identity = state_of(row).identity
    return ReportDocument(
        report_id=row.number,
        case_reference=row.number,
        page_size=PageSize.LETTER if practice.paper.lower() == "letter" else PageSize.A4,
        letterhead=Letterhead(
            name=practice.name,
            address_lines=_lines(practice.address),
            phone=practice.phone,
            accent=practice.accent_colour,
        ),
        reading_group=_reading_group(session, row.practice_id),
        patient=PatientBlock(
            name=patient.full_name,
            birth_date=patient.birth_date,
            sex=patient.sex,
            patient_id=patient.patient_number,
            issuer=patient.issuer,
        ),
        referrer=form.referrer,
        copies_to=tuple(form.copies_to),
        report=report,
        earlier=tuple(versions[: report.version - 1]),
        superseded_by=len(versions) if len(versions) > report.version else None,
        withdrawal=_withdrawal(session, keys, row, report),
        notices=(_OVERRIDE_NOTICE,) if identity.standing is IdentityStanding.OVERRIDDEN else (),
        images=_images(session, keys, case_id, report),
        notation=Notation(practice.tooth_notation),
        locale=practice.locale,
        time_zone=practice.time_zone,
        generated_at=now(),
    )


def _lines(address: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in address.splitlines() if line.strip())[:5]


def _reading_group(session: Session, practice_id: str) -> ReadingGroup | None:
    contract = contract_of(session, practice_id)
    if contract is None:
        return None
    group = session.get_one(Organization, contract.group_id)
    return ReadingGroup(name=group.name, address_lines=_lines(group.address), phone=group.phone)


def _withdrawal(session: Session, keys: KeyStore, row: Case, report: SignedReport) -> Withdrawal | None:
    step = session.exec(
        select(CaseTransition).where(CaseTransition.case_id == row.id, CaseTransition.action == Action.ENTER_IN_ERROR)
    ).one_or_none()
    if step is None:
        return None
    reason = str(stored_form(session, keys, step.command_id).get("reason", ""))
    return Withdrawal(by=report.author.model_copy(update={"signed_at": step.at}), reason=reason)


def _images(session: Session, keys: KeyStore, case_id: str, report: SignedReport) -> tuple[ImageAsset, ...]:
    wanted = [image.image_id for image in report.content.key_images]
    rows = session.exec(select(KeyImage).where(KeyImage.case_id == case_id, col(KeyImage.id).in_(wanted))).all()
    stored = {row.id: row for row in rows}
    return tuple(
        ImageAsset(
            image_id=image_id,
            data=open_sealed(keys, stored[image_id].image, column_aad("key_image", image_id, "image")),
        )
        for image_id in wanted
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
