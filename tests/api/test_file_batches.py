"""A folder or an archive with two patients in it is refused as a whole, with who is in which file, and two ways out."""

from collections import Counter
from typing import Any

import httpx
import pytest
from sqlmodel import select

from activities.imaging.batches import judge_batches
from schemas.lifecycle import State
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import FileBatch, Instance, Series, StoredFile, Study
from schemas.tables.wires import AuditRow
from tests.activities.imaging import files, zips
from tests.api.imaging_app import Desk

KELLER = {"PatientName": "Keller^Urs", "PatientID": "K-7", "PatientBirthDate": "19500101", "PatientSex": "M"}


def ours(number: int) -> bytes:
    return files.dicom_file(study="1.2.1", series="1.2.1.1", number=number)


def kellers(number: int) -> bytes:
    return files.dicom_file(study="1.2.2", series="1.2.2.1", number=number, patient=KELLER)


async def mixed_folder(desk: Desk) -> Case:
    case = desk.open_case()
    for name, content in {"A1": ours(1), "A2": ours(2), "K1": kellers(1), "smile.jpg": files.photo()}.items():
        await desk.upload(case, content, name, f"DISC/{name}")
    desk.imaging.ingest(case.id)
    return case


async def mixed(client: httpx.AsyncClient, case: Case) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/cases/{case.id}/batches")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def states(desk: Desk, case: Case) -> Counter[tuple[str, str | None]]:
    return Counter((file.state, file.problem_code) for file in desk.files(case))


async def test_a_folder_with_two_patients_is_refused_and_says_who_is_in_which_file(desk: Desk) -> None:
    case = await mixed_folder(desk)
    assert states(desk, case) == {("unreadable", "mixed_patients"): 4}
    with desk.world.database.read() as session:
        for table in (Instance, Series, Study):
            assert session.exec(select(table).where(table.case_id == case.id)).all() == []
        batch = session.exec(select(FileBatch)).one()
    for told in (b"Keller", b"DISC", b"Muster"):
        assert told not in batch.name and told not in (batch.finding or b"")
    async with desk.client() as client:
        (found,) = await mixed(client, case)
        assert (found["name"], found["files"]) == ("DISC", 4)
        people = {(person["name"], person["is_ours"]): sorted(person["names"]) for person in found["people"]}
        assert people == {("Anna Muster", True): ["A1", "A2"], ("Urs Keller", False): ["K1"]}


async def test_the_patients_own_files_are_kept_and_the_others_go(desk: Desk) -> None:
    case = await mixed_folder(desk)
    async with desk.client() as client:
        (found,) = await mixed(client, case)
        base = f"/api/v1/cases/{case.id}/batches/{found['batch_id']}"
        foreign = next(person["number"] for person in found["people"] if not person["is_ours"])
        refused = await client.post(f"{base}/keep/{foreign}")
        assert (refused.status_code, refused.json()["code"]) == (409, "another_patients_files")
        assert (await client.post(f"{base}/keep/9")).status_code == 404
        assert (await client.post(f"{base}/keep/{1 - foreign}")).status_code == 204
        assert (await client.post(f"{base}/keep/{1 - foreign}")).status_code == 404, "once"
        desk.imaging.ingest(case.id)
        assert states(desk, case) == {("ready", None): 3, ("removed", "mixed_patients"): 1}
        assert await mixed(client, case) == []
    with desk.world.database.read() as session:
        assert session.exec(select(AuditRow).where(AuditRow.act == "batch.keep")).one().scope == case.id


async def test_an_archive_with_two_patients_is_refused_too_and_its_blob_stays_for_whom_is_kept(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, zips.zipped({"a": ours(1), "b": ours(2), "k": kellers(1)}), "export.zip")
    desk.imaging.ingest(case.id)
    async with desk.client() as client:
        (found,) = await mixed(client, case)
        assert found["name"] == "export.zip"
        (kept,) = (person["number"] for person in found["people"] if person["is_ours"])
        answer = await client.post(f"/api/v1/cases/{case.id}/batches/{found['batch_id']}/keep/{kept}")
        assert answer.status_code == 204
    desk.imaging.ingest(case.id)
    assert Counter(file.state for file in desk.files(case) if file.parent_id) == {"ready": 2, "removed": 1}


async def test_files_that_come_alone_and_folders_of_one_patient_are_taken(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, ours(1), "A1")
    await desk.upload(case, kellers(1), "K1")
    await desk.upload(case, ours(2), "A2", "mine/A2")
    await desk.upload(case, kellers(2), "K2", "theirs/K2")
    desk.imaging.ingest(case.id)
    assert states(desk, case) == {("ready", None): 4}, "two people decide on these at the submission"
    await desk.upload(case, kellers(3), "K3", "mine/K3")
    desk.imaging.ingest(case.id)
    assert states(desk, case) == {("ready", None): 3, ("unreadable", "mixed_patients"): 2}, (
        "the rest of a folder counts"
    )


async def test_after_a_refusal_the_folder_may_come_again_without_the_foreign_file(desk: Desk) -> None:
    case = desk.open_case()
    own = ours(1)
    await desk.upload(case, own, "A1", "DISC/A1")
    await desk.upload(case, kellers(1), "K1", "DISC/K1")
    desk.imaging.ingest(case.id)
    await desk.upload(case, own, "A1", "DISC/A1")
    desk.imaging.ingest(case.id)
    assert states(desk, case) == {("unreadable", "mixed_patients"): 2, ("ready", None): 1}
    async with desk.client() as client:
        (refused,) = await mixed(client, case)
    assert refused["files"] == 2, "what was refused still waits for a decision"


@pytest.mark.parametrize("state", [State.PROCESSING, State.ATTENTION, State.RELEASED])
async def test_a_mixed_folder_that_was_submitted_unchecked_counts_for_nothing(desk: Desk, state: State) -> None:
    """Whoever submits faster than files are checked, or adds them late, gets no override by two people for it."""
    case = desk.open_case()
    for name, content in {"A1": ours(1), "K1": kellers(1), "broken": ours(2)[:-9]}.items():
        await desk.upload(case, content, name, f"DISC/{name}")
    desk.freeze(case, verified=False)
    desk.set_state(case, state)
    desk.imaging.ingest(case.id)
    verdict = desk.imaging.verdict(case.id, 1)
    assert (verdict.readable, verdict.identity) == (0, IdentityStanding.MATCHED)
    desk.set_state(case, State.RELEASED, image_set=1)
    async with desk.client() as client:
        (found,) = await mixed(client, case)
        assert found["is_removable"]
        (kept,) = (person["number"] for person in found["people"] if person["is_ours"])
        answer = await client.post(f"/api/v1/cases/{case.id}/batches/{found['batch_id']}/keep/{kept}")
        assert answer.status_code == 204
    desk.imaging.ingest(case.id)
    with desk.world.database.read() as session:
        again = session.exec(select(StoredFile).where(StoredFile.case_id == case.id, StoredFile.state == "ready")).one()
    assert again.first_set is None, "it goes with the next submission"


async def test_a_folder_is_judged_once_all_of_it_was_checked(desk: Desk) -> None:
    """What arrives while the rest is being checked is in no check yet, and is not passed over."""
    case = desk.open_case()
    await desk.upload(case, ours(1), "A1", "DISC/A1")
    desk.imaging.ingest(case.id)
    await desk.upload(case, kellers(1), "K1", "DISC/K1")
    key = desk.world.keys.data_key(case.key_id)
    with desk.world.database.write() as session:
        assert judge_batches(session, key, session.get_one(Case, case.id)) == 0
    desk.imaging.ingest(case.id)
    assert states(desk, case) == {("unreadable", "mixed_patients"): 2}


async def test_what_has_passed_stays_when_more_of_its_folder_comes(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, ours(1), "A1", "DISC/A1")
    desk.imaging.ingest(case.id)
    desk.freeze(case)
    desk.set_state(case, State.RELEASED)
    await desk.upload(case, kellers(1), "K1", "DISC/K1")
    desk.imaging.ingest(case.id)
    assert states(desk, case) == {("ready", None): 2}
    desk.freeze(case, 2, verified=False)
    assert desk.imaging.verdict(case.id, 2).identity is IdentityStanding.MISMATCHED


async def test_a_refused_folder_whose_files_were_taken_out_one_by_one_waits_for_nobody(desk: Desk) -> None:
    case = await mixed_folder(desk)
    async with desk.client() as client:
        for file in desk.files(case):
            assert (await client.delete(f"/api/v1/cases/{case.id}/files/{file.id}")).status_code == 204
        assert await mixed(client, case) == []


async def test_only_who_may_remove_files_of_this_very_case_decides(desk: Desk) -> None:
    case = await mixed_folder(desk)
    other = desk.open_case()
    async with desk.client() as client:
        (found,) = await mixed(client, case)
        foreign = f"/api/v1/cases/{other.id}/batches/{found['batch_id']}"
        assert (await client.delete(foreign)).status_code == 404
        assert (await client.post(f"{foreign}/keep/0")).status_code == 404
    address = f"/api/v1/cases/{case.id}/batches/{found['batch_id']}"
    async with desk.client("dentist2") as client:
        assert (await client.get(f"/api/v1/cases/{case.id}/batches")).status_code == 404
        assert (await client.delete(address)).status_code == 404
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    async with desk.client("radiologist") as client:
        assert await mixed(client, case) == []
        assert (await client.delete(address)).status_code == 403
    assert states(desk, case) == {("unreadable", "mixed_patients"): 4}
