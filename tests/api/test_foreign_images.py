"""Another patient's image in a study of ours: named as itself while it is there, and by nobody once it was taken out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.imaging.parser.pool import ParserPool
from api.case_files import case_files
from api.standing import load_case
from schemas.lifecycle import State
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, imaging_desk

KELLER = {"PatientName": "Keller^Urs", "PatientID": "K-7", "PatientBirthDate": "19500101", "PatientSex": "M"}
STUDY = "1.2.826.1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ParserPool(1) as pool, imaging_desk(tmp_path, pool) as desk:
        yield desk


def ours(number: int, series: str = f"{STUDY}.1") -> bytes:
    return files.dicom_file(study=STUDY, series=series, number=number)


def kellers(number: int, series: str = f"{STUDY}.1") -> bytes:
    return files.dicom_file(study=STUDY, series=series, number=number, SeriesDescription="Keller", patient=KELLER)


async def test_a_foreign_image_that_came_first_names_nothing_once_it_is_taken_out(desk: Desk) -> None:
    """A scan that was registered to the wrong person, and exported again under the same study."""
    case = desk.open_case()
    foreign = [await desk.upload(case, kellers(1)), await desk.upload(case, kellers(1, series=f"{STUDY}.2"))]
    desk.imaging.ingest(case.id)
    for content in (ours(2), ours(1, series=f"{STUDY}.2")):
        await desk.upload(case, content)
    desk.imaging.ingest(case.id)
    async with desk.client() as client:

        async def told() -> str:
            urls = ("/dicomweb/studies", "/dicomweb/series", f"/dicomweb/studies/{STUDY}/series")
            return "".join([(await client.get(url)).text for url in urls])

        assert "Keller^Urs" in await told()
        for file_id in foreign:
            assert (await client.delete(f"/api/v1/cases/{case.id}/files/{file_id}")).status_code == 204
        found = await told()
        assert "Muster^Anna" in found
        for theirs in ("Keller", "K-7", "19500101"):
            assert theirs not in found


async def test_what_readers_see_is_not_named_after_an_image_that_was_not_let_pass(desk: Desk) -> None:
    case = desk.open_case()
    first = await desk.upload(case, ours(3))
    desk.imaging.ingest(case.id)
    await desk.upload(case, kellers(1))
    desk.imaging.ingest(case.id)
    await desk.upload(case, ours(2))
    desk.imaging.ingest(case.id)
    with desk.world.database.write() as session:
        for file in desk.files(case)[::2]:
            session.merge(file).first_set = 1
    desk.set_state(case, State.ATTENTION, image_set=1)
    async with desk.client() as client:
        assert (await client.delete(f"/api/v1/cases/{case.id}/files/{first}")).status_code == 204
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    async with desk.client("radiologist") as client:
        (study,) = (await client.get("/dicomweb/studies")).json()
    assert study["00100010"]["Value"] == [{"Alphabetic": "Muster^Anna"}]


async def test_who_decides_on_a_foreign_image_reads_its_name_and_not_our_patients(desk: Desk) -> None:
    case = desk.open_case()
    for number, content in enumerate((ours(1), ours(2), kellers(3), kellers(4, series=f"{STUDY}.2"))):
        await desk.upload(case, content)
        desk.imaging.ingest(case.id)
        with desk.world.database.read() as session:
            access = load_case(session, desk.world.keys, case.id, desk.world.person("dentist"))
            (study,) = case_files(session, access).studies
        assert study.stranger == (None if number < 2 else "Urs Keller")


async def test_an_image_that_takes_the_place_of_a_removed_one_waits_for_the_next_submission(desk: Desk) -> None:
    """Two people decide on what the check found. What was hidden then by another image of its number is not among it."""

    def image(number: int, **of: str) -> bytes:
        return files.dicom_file(
            study=STUDY, series=f"{STUDY}.1", SOPInstanceUID=f"{STUDY}.1.1", number=number, patient=of or None
        )

    case = desk.open_case()
    first = await desk.upload(case, image(1))
    desk.imaging.ingest(case.id)
    await desk.upload(case, image(2, PatientName="Zed^Third", PatientID="Z"))
    await desk.upload(case, kellers(3))
    desk.freeze(case, verified=False)
    desk.set_state(case, State.PROCESSING)
    desk.imaging.ingest(case.id)
    desk.set_state(case, State.ATTENTION)
    found = desk.imaging.verdict(case.id, 1)
    assert (found.readable, found.identity) == (2, "mismatched")
    async with desk.client() as client:
        assert (await client.delete(f"/api/v1/cases/{case.id}/files/{first}")).status_code == 204
    desk.imaging.ingest(case.id)
    assert [(file.state, file.first_set) for file in desk.files(case)] == [
        ("removed", 1),
        ("ready", None),
        ("ready", 1),
    ]
    assert desk.imaging.verdict(case.id, 1).readable == 1
