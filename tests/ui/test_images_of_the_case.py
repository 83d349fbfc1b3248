"""A page about a case shows the images of that case, also where another one has the same study, newer and otherwise."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from activities.imaging.parser.pool import ParserPool
from api.case_files import case_files
from api.standing import load_case
from schemas.lifecycle import Role
from tests.activities.imaging import files
from tests.api.imaging_app import Desk
from tests.ui.advanced_viewer import viewer_desk
from ui.assemble.looker import Looker
from ui.assemble.reading import images_page
from ui.templating import Reader

STUDY, SERIES, INSTANCE = "1.2", "1.3", "1.4"


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with viewer_desk(tmp_path, pool) as opened:
        yield opened


def image(grey: int) -> bytes:
    pixels = np.full((16, 16), grey, np.uint16).tobytes()
    return files.dicom_file(study=STUDY, series=SERIES, SOPInstanceUID=INSTANCE, PixelData=pixels)


async def test_a_page_about_a_case_draws_the_images_of_this_case(desk: Desk) -> None:
    cases = [desk.open_case() for _ in range(2)]
    for case, grey in zip(cases, (100, 900), strict=True):
        await desk.upload(case, image(grey))
        desk.imaging.ingest(case.id)
    person = desk.world.person("dentist")
    async with desk.client() as client:
        for case, grey in zip(cases, (100, 900), strict=True):
            with desk.world.database.read() as session:
                access = load_case(session, desk.world.keys, case.id, person)
                page = images_page(session, access, "", "", Looker(person, Reader(zone="Europe/Zurich"), Role.DENTIST))
                (study,) = case_files(session, access).studies
            assert {study.thumbnail, *(series.preview for series in page.series)} == {
                f"{page.root}/studies/{STUDY}/series/{SERIES}/thumbnail"
            }
            frame = await client.get(
                f"{page.root}/studies/{STUDY}/series/{SERIES}/instances/{INSTANCE}/frames/1",
                headers={"Accept": "application/octet-stream"},
            )
            assert set(np.frombuffer(frame.content, np.uint16)) == {grey}
