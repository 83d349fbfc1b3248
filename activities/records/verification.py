"""Whether signed versions are what was signed: everything is computed anew from what is stored (invariants 7 and 8).

A fault says where by ids, never by content. What was erased on purpose cannot be opened by anyone and is no fault; that it
was signed, and with which hash, still stands in the audit trail and is compared.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from activities.imaging.image_sets import files_of_set, image_set_hash
from activities.records.covered import marks_of, pictures_of
from activities.records.signing import version_place
from infra.audit import Break
from infra.blobs.store import BlobDamaged, BlobMissing, BlobStore
from infra.database import Database
from infra.keys import KeyDestroyed, KeyUnknown
from infra.keystore import KeyStore
from infra.sealing import SealedValueRefused, open_json, open_sealed
from infra.stored_files import open_stored
from schemas.lifecycle import SIGNATURES, State
from schemas.signed_report import SignedReport, report_hash, sha256_hex
from schemas.tables.case import Case
from schemas.tables.report import ReportVersion
from schemas.tables.wires import AuditRow

_ACTS: Final = tuple(f"case.{action}" for action in sorted(SIGNATURES))
"""Steps that make a version. Their audit rows name it with its hash."""


class Announced(NamedTuple):
    """What the audit trail says of a version."""

    report_hash: str
    command_id: str | None


def verify_versions(database: Database, keys: KeyStore, blobs: BlobStore | None = None) -> Iterator[Break]:
    """Every fault of every signed version. With ``blobs``, the files of the signed image sets are read whole, too.

    Blocking. Raises StorageFailed when files cannot be had at all.
    """
    with database.read() as session:
        signed = session.exec(select(ReportVersion.case_id).distinct()).all()
        known = session.exec(select(Case.id).where(Case.version > 0)).all()
        announced = session.exec(select(AuditRow.scope).where(col(AuditRow.act).in_(_ACTS)).distinct()).all()
    for case_id in sorted({*signed, *known, *announced}):
        # A case that is signed between two queries looks torn once, and whole when it is looked at again.
        if _verified(database, keys, case_id, blobs):
            yield from _verified(database, keys, case_id, blobs)


def _verified(database: Database, keys: KeyStore, case_id: str, blobs: BlobStore | None) -> list[Break]:
    with database.read() as session:
        return list(_verify_case(session, keys, case_id, blobs))


def _verify_case(session: Session, keys: KeyStore, case_id: str, blobs: BlobStore | None) -> Iterator[Break]:
    case = session.get(Case, case_id)
    if case is None:
        yield Break(case_id, "it was signed, and the case is not there")
        return
    announced = _announced(session, case_id)
    rows = session.exec(
        select(ReportVersion).where(ReportVersion.case_id == case_id).order_by(col(ReportVersion.version))
    ).all()
    numbers = {row.version for row in rows}
    for missing in sorted({*range(1, case.version + 1), *announced} - numbers):
        yield Break(f"{case_id} version {missing}", "it was signed, and is not there")
    for row in rows:
        where = f"{case_id} version {row.version}"
        if row.version > case.version:
            yield Break(where, "the case knows of no such version")
        if announced.get(row.version) != Announced(row.report_hash, row.command_id):
            yield Break(where, "the audit trail says otherwise")
        for fault in verify_version(session, keys, row):
            yield Break(where, fault)
    if rows:
        yield from _verify_shown(session, keys, case, rows[-1], blobs)


def _announced(session: Session, case_id: str) -> Mapping[int, Announced]:
    rows = session.exec(
        select(AuditRow).where(
            AuditRow.scope == case_id,
            col(AuditRow.act).in_(_ACTS),
            AuditRow.outcome == "done",
        )
    ).all()
    announced = {}
    for row in rows:
        try:
            detail = json.loads(row.detail)
            announced[int(detail["version"])] = Announced(str(detail["report_hash"]), row.command_id)
        except (ValueError, TypeError, KeyError):
            continue  # a row that was edited: the chain says so, and its version stands without an announcement
    return announced


def verify_version(session: Session, keys: KeyStore, row: ReportVersion) -> list[str]:
    """What does not fit in one version: row, document, hash, marks, pictures and image set. Empty: it is what was signed."""
    try:
        written = open_json(keys, row.document, version_place(row.id, "document"))
        report = SignedReport.model_validate(written)
    except KeyDestroyed:
        return []
    except (SealedValueRefused, KeyUnknown):
        return ["its document cannot be opened"]
    except ValueError:
        return ["its document is no signed report"]
    return [
        *_verify_document(row, report, exact=written == report.model_dump(mode="json")),
        *_verify_marks(keys, row, report),
        *_verify_pictures(session, keys, row, report),
        *_verify_set(session, row, report),
    ]


def _verify_document(row: ReportVersion, report: SignedReport, *, exact: bool) -> Iterator[str]:
    computed = report_hash(row.case_id, report)
    if computed != report.report_hash or not exact:
        yield "its text or facts are not what was signed"
    if report.report_hash != row.report_hash:
        yield "its row has another hash than its document"
    approver_id = report.approver.user_id if report.approver else None
    said = (row.version, row.kind, row.author_id, row.approver_id, row.signed_at)
    if said != (report.version, report.kind or "original", report.author.user_id, approver_id, report.signed_at):
        yield "its row says otherwise than its document"


def _verify_marks(keys: KeyStore, row: ReportVersion, report: SignedReport) -> Iterator[str]:
    try:
        marks = open_sealed(keys, row.marks, version_place(row.id, "marks"))
    except (SealedValueRefused, KeyUnknown):
        yield "its marks cannot be opened"
        return
    if sha256_hex(marks) != report.covered.marks:
        yield "its marks are not those that were signed"


def _verify_pictures(session: Session, keys: KeyStore, row: ReportVersion, report: SignedReport) -> Iterator[str]:
    for picture in report.covered.pictures:
        try:
            ((_, data),) = pictures_of(session, keys, row.case_id, [picture.image_id])
        except (SealedValueRefused, KeyUnknown):
            yield f"picture {picture.image_id} cannot be opened"
            continue
        if data is None:
            yield f"picture {picture.image_id} is not there"
        elif sha256_hex(data) != picture.sha256:
            yield f"picture {picture.image_id} is not the one that was signed"


def _verify_set(session: Session, row: ReportVersion, report: SignedReport) -> Iterator[str]:
    covered = report.covered
    if image_set_hash(session, row.case_id, covered.image_set) != covered.image_set_hash:
        yield f"the files of image set {covered.image_set} are not those that were signed"


def _verify_shown(
    session: Session, keys: KeyStore, case: Case, latest: ReportVersion, blobs: BlobStore | None
) -> Iterator[Break]:
    """What is shown beside the latest version: marks, unless they are being drawn anew, and the images themselves."""
    where = f"{case.id} version {latest.version}"
    try:
        shown = marks_of(session, keys, case.id)
        signed = open_sealed(keys, latest.marks, version_place(latest.id, "marks"))
        key = keys.data_key(case.key_id)
    except KeyDestroyed:
        return
    except (SealedValueRefused, KeyUnknown, ValueError, TypeError, KeyError):
        yield Break(where, "the marks that are shown cannot be compared")
        return
    if case.state != State.AMENDING and shown.encode() != signed:
        yield Break(where, "the marks that are shown are not those that were signed")
    if blobs is None:
        return
    for file in files_of_set(session, case.id, case.image_set):
        try:
            with open_stored(blobs, file, key.secret) as reader:
                digest = hashlib.sha256()
                for piece in reader.stream():
                    digest.update(piece)
        except (BlobDamaged, BlobMissing):
            yield Break(f"{case.id} file {file.id}", "it is damaged or not there")
            continue
        if digest.hexdigest() != file.sha256:
            yield Break(f"{case.id} file {file.id}", "it is not what was submitted")
