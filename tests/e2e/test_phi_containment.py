"""Canaries in every field that can hold PHI: none may be found where PHI has no business (SAFETY, "PHI containment")."""

import asyncio
from datetime import date

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from schemas.ids import case_workflow_id
from tests.e2e.story import Story, files_of, send_file, until
from tests.e2e.system import System
from worker.demo.studies import PatientIdentity, test_series

CANARY = "Qanarix"
ADDRESS = "qanarix.patient@example.test"


@pytest.fixture(scope="module")
def story(system: System, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A case with a canary in the name, the form, the file names, DICOM, a question, its answer, chat, report and addendum, and
    in the names, headings and descriptions that the practice gives to images and to documents of the record."""
    folder = tmp_path_factory.mktemp("images")
    identity = PatientIdentity(f"{CANARY}fam^{CANARY}given", date(1971, 2, 3), "F", f"{CANARY}-7", f"{CANARY}-ISS")
    test_series(folder, identity)
    files = [(f"{CANARY}-{name}", content) for name, content in files_of(folder)[:4]]
    story = Story(system)
    dentist = story.client("dentist")
    story.open_case(
        dentist,
        {
            "family_name": f"{CANARY}fam",
            "given_name": f"{CANARY}given",
            "birth_date": "1971-02-03",
            "sex": "female",
            "patient_number": f"{CANARY}-7",
            "issuer": f"{CANARY}-ISS",
            "email": ADDRESS,
            "phone": f"{CANARY}-phone",
            "notes": f"{CANARY} notes",
        },
        {
            "referrer": f"Dr {CANARY}",
            "purpose": "implant",
            "clinical_question": f"{CANARY} question",
            "history": f"{CANARY} history",
            "teeth": ["36"],
            "site_note": f"{CANARY} site",
            "consent": True,
            "pregnancy": "not_pregnant",
        },
    )
    story.upload(dentist, files)
    described(story, dentist)
    story.act(dentist, "submit")
    radiologist = story.give_to("radiologist")
    for client, text in ((radiologist, "Which side?"), (dentist, "Left.")):
        answer = client.post(
            f"/api/v1/cases/{story.case_id}/messages",
            json={"body": f"{CANARY} {text}"},
            headers={"Idempotency-Key": text},
        )
        assert answer.status_code == 201, answer.text
    story.act(radiologist, "request_modification", text=f"{CANARY} please add")
    story.act(dentist, "answer_modification", text=f"{CANARY} answered")
    story.write_report(radiologist, f"{CANARY} finding")
    story.act(radiologist, "sign", password=system.password, draft_hash=story.draft_hash)
    story.act(dentist, "release")
    story.act(radiologist, "amend", kind="appended", reason=f"{CANARY} reason")
    story.write_report(radiologist, "", addendum=f"{CANARY} addendum")
    story.act(radiologist, "sign", password=system.password, draft_hash=story.draft_hash)
    until(
        lambda: dentist.get("/dev/mailbox.json").json()["items"],
        lambda items: any(item["to"] == ADDRESS for item in items),
    )
    return story


def described(story: Story, dentist: httpx.Client) -> None:
    """The practice's words for an item of the case and of the record, under a heading each, and an image moved."""
    send_file(dentist, b"%PDF-1.4\n%%EOF\n", patient_id=story.patient_id, filename=f"{CANARY}-letter.pdf")
    title = {"title": f"{CANARY} title"}
    for base, words in (
        (f"/api/v1/cases/{story.case_id}/arrangement", title),
        (f"/api/v1/patients/{story.patient_id}/arrangement", {}),
    ):
        (item,) = until(
            lambda base=base: dentist.get(base).json()["groups"][0]["items"],  # type: ignore[misc]
            lambda items: len(items) == 1,
        )
        group = dentist.post(f"{base}/groups", json={"name": f"{CANARY} heading"}).json()
        moved = dentist.post(f"{base}/items/{item['id']}/move", json={"group_id": group["id"]})
        labels = {**words, "description": f"{CANARY} description", "teeth": ["36"]}
        put = dentist.put(f"{base}/items/{item['id']}/labels", json=labels)
        assert (moved.status_code, put.status_code) == (200, 200), put.text


def test_the_canary_is_where_it_belongs(story: Story) -> None:
    """The control: people who may read it do, so that the other tests look for something that is there."""
    dentist = story.client("dentist")
    read = dentist.get(f"/api/v1/cases/{story.case_id}/series").text
    for words in ("title", "heading", "description"):
        assert f"{CANARY} {words}" in read
    assert f"{CANARY} description" in dentist.get(f"/api/v1/patients/{story.patient_id}/arrangement").text
    assert CANARY in dentist.get(f"/api/v1/cases/{story.case_id}").text
    assert CANARY in dentist.get(f"/api/v1/cases/{story.case_id}/report").text


def test_temporal_holds_no_canary(story: Story, temporal_of_system: WorkflowEnvironment) -> None:
    async def stored() -> bytes:
        handle = temporal_of_system.client.get_workflow_handle(case_workflow_id(story.case_id))
        description = await handle.describe()
        events = [event.SerializeToString() async for event in handle.fetch_history_events()]
        assert len(events) > 50
        return b"".join([*events, description.raw_description.SerializeToString()])

    raw = asyncio.get_event_loop_policy().new_event_loop().run_until_complete(stored())
    assert CANARY.encode() not in raw
    assert ADDRESS.encode() not in raw


def test_logs_hold_no_canary(story: Story) -> None:
    for path in [*story.system.home.glob("*.log"), *story.system.home.glob("logs/*")]:
        assert CANARY not in path.read_text(), path.name
        assert ADDRESS not in path.read_text(), path.name


def test_mails_hold_no_canary(story: Story) -> None:
    for mail in story.client("admin").get("/dev/mailbox.json").json()["items"]:
        assert CANARY not in mail["subject"]
        assert CANARY not in mail["text"]


def test_the_database_and_the_blobs_hold_no_canary_in_the_clear(story: Story) -> None:
    home = story.system.home
    for path in [*home.glob("odontoflow.db*"), *home.glob("blobs/**/*"), *home.glob("audit*")]:
        if path.is_file():
            content = path.read_bytes()
            assert CANARY.encode() not in content, path.name
            assert ADDRESS.encode() not in content, path.name
