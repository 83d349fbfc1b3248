"""Cases that are already some way along, made over HTTP as people make them."""

import asyncio
import io
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import FastAPI
from PIL import Image
from sqlmodel import select

from activities.treatment_documents import DocumentChecker
from api.imaging.parsers import parsers_of
from infra.blobs.local import LocalBlobStore
from infra.release_tokens import release_token
from infra.uploads import UploadDesk
from schemas.clinical import Purpose
from schemas.messages import Actor
from schemas.report_parts import Modality
from schemas.tables.case import Case
from schemas.tables.people import Patient
from schemas.tables.release import ReleaseGrant
from tests.activities.imaging.files import dicom_file
from tests.api.live import PASSWORD, Live
from tests.api.test_case_story import FORM, until
from worker.demo.reports import demo_report

BORN = date(1980, 2, 14)
PATIENT = {
    "family_name": "Muster",
    "given_name": "Anna",
    "birth_date": BORN.isoformat(),
    "sex": "female",
    "patient_number": "A-100",
    "email": "anna.muster@example.test",
}


@dataclass
class Story:
    """A case with its reader, for the next step."""

    live: Live
    case_id: str
    reader: str = "radiologist"

    async def act(self, name: str, action: str, **form: Any) -> dict[str, Any]:
        answer = await self.live.act(name, self.case_id, action, key=secrets.token_hex(8), form=form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @property
    def row(self) -> Case:
        return self.live.world.case(self.case_id)

    def grants(self) -> list[ReleaseGrant]:
        with self.live.world.database.read() as session:
            statement = select(ReleaseGrant).where(ReleaseGrant.case_id == self.case_id)
            return sorted(session.exec(statement).all(), key=lambda grant: grant.created_at)

    def link(self) -> str:
        """Address of the newest release link."""
        return f"/r/{release_token(self.live.world.keys, self.grants()[-1].id)}"


def put_file(live: Live, case_id: str, content: bytes, name: str = "image.dcm") -> str:
    """A stored file, as an upload leaves it; returns its id."""
    return live.world.put_file(LocalBlobStore(live.settings.blob_folder), live.world.case(case_id), content, name)


def put_document(app: FastAPI, patient: Patient, user_id: str, content: bytes, name: str = "letter.pdf") -> str:
    """A treatment document of a patient's record, sent and checked; returns its id."""
    services = app.state.services
    desk = UploadDesk(services.database, services.blobs, services.keys)
    upload = desk.begin(patient, user_id, len(content), {"filename": name}).upload
    with desk.writer(upload) as writer:
        writer.append(content)
        actor = Actor(user_id=user_id, role="staff", relation="own", session_id="ses_0")
        stored = desk.complete(upload, actor, lambda _session: None, writer)
    DocumentChecker(services.database, services.blobs, services.keys, parsers_of(app)).check(stored.id)
    return stored.id


async def submitted_case(live: Live, **patient: Any) -> Story:
    async with live.client("dentist") as client:
        made = await client.post("/api/v1/patients?confirmed=true", json={**PATIENT, **patient})
        body = {"patient_id": made.json()["id"], "priority": "urgent", "form": FORM}
        case = await client.post("/api/v1/cases", json=body, headers={"Idempotency-Key": secrets.token_hex(8)})
    story = Story(live, case.json()["id"])
    put_file(live, story.case_id, dicom_file())
    put_file(live, story.case_id, photograph(), "anna smiles.jpg")
    await story.act("dentist", "submit")
    return story


def photograph() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (80, 60), (190, 150, 130)).save(content, "JPEG")
    return content.getvalue()


async def case_in_review(live: Live, **patient: Any) -> Story:
    """Submitted, offered by itself, accepted by whoever was asked."""
    story = await submitted_case(live, **patient)
    async with live.client("scheduler") as client:
        await until(client, story.case_id, "assigned")
    story.reader = next(name for name, person in live.world.people.items() if person.user_id == story.row.assignee_id)
    await story.act(story.reader, "accept")
    return story


async def write_report(story: Story, impression: str = "") -> str:
    """A complete draft; returns its hash, which a signature names."""
    content = demo_report(
        Purpose.IMPLANT, modality=Modality.PANORAMIC, acquired=date(2026, 11, 2), question="Enough bone at 36?"
    )
    if impression:
        content = content.model_copy(update={"impression": impression})
    async with story.live.client(story.reader) as client:
        draft = await client.get(f"/api/v1/cases/{story.case_id}/report/draft")
        saved = await client.put(
            f"/api/v1/cases/{story.case_id}/report/draft",
            json={"content": content.model_dump(mode="json")},
            headers={"If-Match": draft.headers["ETag"]},
        )
        assert saved.status_code == 200, saved.text
    return str(saved.json()["draft_hash"])


async def signed_case(live: Live, **patient: Any) -> Story:
    story = await case_in_review(live, **patient)
    read = await write_report(story)
    await story.act(story.reader, "sign", password=PASSWORD, draft_hash=read)
    return story


async def released_case(live: Live, **patient: Any) -> Story:
    story = await signed_case(live, **patient)
    await story.act("dentist", "release")
    return story


async def soon(check: Any, seconds: float = 10.0) -> Any:
    """The first true answer of ``check``, a function without arguments."""
    for _ in range(int(seconds / 0.05)):
        found = check()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come about")
