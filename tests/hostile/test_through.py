"""The whole corpus put into one case over HTTP and checked there, while the API goes on answering."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.imaging.parser.pool import ParserPool
from api.routes import health
from schemas.tables.imaging import StoredFile
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, imaging_desk
from tests.hostile.corpus import CORPUS


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(tmp_path, pool) as desk:
        desk.app.include_router(health.router)
        yield desk


async def test_hostile_files_in_a_case_are_each_answered_and_the_api_lives(desk: Desk) -> None:
    case = desk.open_case()
    expected: dict[str, object] = {}
    for hostile in CORPUS:
        content = hostile.make()
        if content and hostile.file_name != "images.zip":  # what is in archives becomes files of its own
            expected[await desk.upload(case, content, hostile.file_name)] = hostile.expected
    good = await desk.upload(case, files.dicom_file(number=77))
    answers = 0
    ingest = asyncio.create_task(asyncio.to_thread(desk.imaging.ingest, case.id))
    async with desk.client(None) as client:
        while not ingest.done():
            answer = await asyncio.wait_for(client.get("/healthz"), 5)
            assert answer.status_code == 200
            answers += 1
            await asyncio.sleep(0.05)
    assert await ingest == len(expected) + 1
    assert answers > 5
    stored = {file.id: file for file in desk.files(case)}
    for file_id, code in expected.items():
        assert stored[file_id].problem_code == code
        assert (stored[file_id].state == "ready") == (code is None)
        assert code is None or _says_what_to_do(stored[file_id])
    assert stored[good].state == "ready"


def _says_what_to_do(file: StoredFile) -> bool:
    return bool(file.problem and file.problem.endswith("."))
