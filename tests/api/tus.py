"""What a tus client says, for the tests of the uploads."""

import httpx

from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from tests.api.imaging_app import Desk, creation

PART = "application/offset+octet-stream"


def part(offset: int, **more: str) -> dict[str, str]:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": PART}
    return headers | {name.replace("_", "-"): value for name, value in more.items()}


async def begin(client: httpx.AsyncClient, case: Case, length: int) -> str:
    headers = creation(case.id, length)
    del headers["Content-Type"]
    answer = await client.post("/api/v1/uploads", headers=headers)
    assert answer.status_code == 201
    return answer.headers["location"]


async def offset_of(client: httpx.AsyncClient, location: str) -> int:
    answer = await client.head(location, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def stored(desk: Desk, file: StoredFile) -> bytes:
    key = desk.world.keys.of_scope(file.case_id)
    with desk.app.state.services.blobs.reader(file.blob_id, key.secret) as reader:
        return b"".join(reader.stream())
