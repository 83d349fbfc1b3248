"""Uploads and downloads where the files lie in a bucket, and the bucket comes and goes."""

import secrets
from pathlib import Path

from infra.blobs.opening import open_blobs
from infra.settings import Settings
from tests.api.imaging_app import Desk, creation
from tests.servers.seaweedfs import SeaweedFS
from worker.up.engine import free_port

PART = "application/offset+octet-stream"


async def test_a_storage_that_is_away_is_told_and_costs_nothing_that_was_confirmed(
    desk: Desk, seaweedfs: SeaweedFS, tmp_path: Path
) -> None:
    there = seaweedfs.settings(tmp_path)
    away = there.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{free_port()}"})

    def use(settings: Settings) -> None:
        """As another API process would find it."""
        desk.app.state.services.blobs = open_blobs(settings, desk.world.database)

    content, case = secrets.token_bytes(9_500_000), desk.open_case()
    headers = creation(case.id, len(content))
    del headers["Content-Type"]
    tus = {"Tus-Resumable": "1.0.0"}
    use(there)
    async with desk.client() as client:
        location = (await client.post("/api/v1/uploads", headers=headers)).headers["location"]
        first = {**tus, "Upload-Offset": "0", "Content-Type": PART}
        answer = await client.patch(location, headers=first, content=content[:9_000_000])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "9000000")

        use(away)
        rest = {**tus, "Upload-Offset": "9000000", "Content-Type": PART}
        refused = await client.patch(location, headers=rest, content=content[9_000_000:])
        assert (refused.status_code, refused.json()["code"]) == (503, "storage_failed")
        listed = await client.get(f"/api/v1/cases/{case.id}/files")
        assert listed.status_code == 200, "what does not need the storage goes on"

        use(there)
        assert (await client.head(location, headers=tus)).headers["upload-offset"] == "9000000"
        assert (await client.patch(location, headers=rest, content=content[9_000_000:])).status_code == 204
        (file,) = desk.files(case)

        with desk.app.state.services.blobs.reader(file.id, desk.world.keys.of_scope(case.id).secret) as reader:
            assert b"".join(reader.stream()) == content
