"""Treatment documents of a demo patient: a consent form, and a clinical photograph."""

from collections.abc import Sequence

from activities.imaging.parser.pool import ParserPool
from activities.treatment_documents import DocumentChecker
from infra.blobs.store import BlobStore
from infra.database import Database
from infra.keystore import KeyStore
from infra.uploads import COMPLETE, UploadDesk
from schemas.messages import Actor
from schemas.tables.people import Patient

CONSENT = (
    "Consent to implant treatment, region 36",
    "",
    "The findings, the planned treatment, its alternatives and its risks were explained to me.",
    "My questions were answered. I agree to the treatment.",
    "",
    "Zurich, 20 November 2026",
)


def add_document(
    database: Database, keys: KeyStore, blobs: BlobStore, patient_id: str, actor: Actor, *, name: str, content: bytes
) -> None:
    """As an upload adds one; a document of that name that is there already is not added again."""
    desk = UploadDesk(database, blobs, keys)
    with database.read() as session:
        patient = session.get_one(Patient, patient_id)
    upload = desk.begin(patient, actor.user_id, len(content), {"filename": name}, key=f"demo-{name}").upload
    if upload.state == COMPLETE:
        return
    if desk.offset(upload) == 0:
        with desk.writer(upload) as writer:
            writer.append(content)
            writer.finish()
    stored = desk.complete(upload, actor, lambda _session: None)
    with ParserPool(1) as pool:
        DocumentChecker(database, blobs, keys, pool).check(stored.id)


def page_of(lines: Sequence[str]) -> bytes:
    """A PDF of one A4 page with a heading and lines of plain text (ISO 32000-1 §7.5)."""
    shown = [f"/F1 {16 if number == 0 else 11} Tf ({line}) Tj 0 -22 Td" for number, line in enumerate(lines)]
    text = f"BT 72 760 Td {' '.join(shown)} ET"
    bodies = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(text)}>>stream\n{text}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    written, places = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(bodies) + 1
    written += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\n"
    return f"{written}startxref\n{written.index('xref')}\n%%EOF\n".encode("ascii")
