"""The demo's treatment documents: readable, and added once however often the demo is seeded."""

from pathlib import Path

from sqlmodel import select

from infra.blobs.local import LocalBlobStore
from schemas.messages import Actor
from schemas.tables.documents import PatientDocument
from tests.world import sqlite_world
from worker.demo.documents import CONSENT, add_document, page_of


def test_a_document_of_the_demo_is_checked_and_added_once(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        patient, blobs = world.add_patient(), LocalBlobStore(tmp_path / "blobs")
        actor = Actor(user_id=world.user_id("dentist"), role="dentist", relation="own", session_id="demo")
        for _ in range(2):
            add_document(
                world.database, world.keys, blobs, patient.id, actor, name="Consent.pdf", content=page_of(CONSENT)
            )
        with world.database.read() as session:
            (document,) = session.exec(select(PatientDocument)).all()
    assert (document.kind, document.state) == ("document", "ready")
