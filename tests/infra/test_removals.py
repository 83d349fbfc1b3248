"""Blobs that are let go of are deleted in the end, whatever fails on the way, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from api.file_removal import take_out
from api.standing import load_case
from infra.blobs.local import LocalBlobStore
from infra.blobs.store import StorageFailed
from infra.database import now
from infra.removals import let_go, remove, sweep
from infra.uploads import LIFE, UploadDesk, UploadGone
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.wires import BlobRemoval
from tests.world import World, sqlite_world


class Shaky(LocalBlobStore):
    """Deletes nothing of what is in ``stuck``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stuck: set[str] = set()

    def delete(self, blob_id: str) -> None:
        if blob_id in self.stuck:
            raise StorageFailed
        super().delete(blob_id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sqlite_world(tmp_path) as made:
        yield made


@pytest.fixture
def blobs(tmp_path: Path) -> Shaky:
    return Shaky(tmp_path / "blobs")


def noted(world: World) -> list[str]:
    with world.database.read() as session:
        return sorted(session.exec(select(BlobRemoval.blob_id)).all())


def make_due(world: World) -> None:
    with world.database.write() as session:
        for row in session.exec(select(BlobRemoval)).all():
            row.due_at = now()


def put(world: World, blobs: Shaky, case: Case, blob_id: str) -> None:
    with blobs.writer(blob_id, world.keys.data_key(case.key_id).secret) as writer:
        writer.append(b"content")
        writer.finish()


def test_a_blob_whose_deletion_fails_is_deleted_later(world: World, blobs: Shaky) -> None:
    case = world.add_case()
    files = [world.add_file(case).id for _ in range(2)]
    for file_id in files:
        put(world, blobs, case, file_id)
    blobs.stuck = {files[0]}
    with world.database.write() as session:
        take_out(session, load_case(session, world.keys, case.id, world.person("dentist")), files)
    assert noted(world) == sorted(files), "with the commit, in case the process ends here"
    remove(world.database, blobs, files)
    assert noted(world) == [files[0]]
    assert [blobs.exists(file_id) for file_id in files] == [True, False]
    assert sweep(world.database, blobs) == 0, "not at once"
    make_due(world)
    assert sweep(world.database, blobs) == 1
    blobs.stuck = set()
    make_due(world)
    sweep(world.database, blobs)
    assert (noted(world), blobs.exists(files[0])) == ([], False)


def test_a_transaction_that_fails_lets_go_of_nothing(world: World, blobs: Shaky) -> None:
    case = world.add_case()
    put(world, blobs, case, "fil_1")
    with pytest.raises(RuntimeError), world.database.write() as session:
        let_go(session, ["fil_1"])
        raise RuntimeError
    sweep(world.database, blobs)
    assert blobs.exists("fil_1")


def test_an_upload_whose_blob_is_stuck_holds_up_no_other(world: World, blobs: Shaky) -> None:
    case, desk = world.add_case(), UploadDesk(world.database, blobs, world.keys)
    uploads = [desk.begin(case, world.user_id("dentist"), 7, {}).upload for _ in range(3)]
    for upload in uploads:
        with desk.writer(upload) as writer:
            writer.append(b"cont")
            writer.sync()
    blobs.stuck = {uploads[0].file_id}
    with world.database.write() as session:
        for upload in uploads[:2]:
            session.get_one(Upload, upload.id).expires_at = now() - LIFE
    assert desk.sweep() == 4, "two uploads, and the blobs of both"
    assert noted(world) == [uploads[0].file_id]
    assert desk.sweep() == 0
    assert desk.offset(uploads[2]) == 4
    blobs.stuck = set()
    make_due(world)
    desk.sweep()
    assert noted(world) == []


def test_an_upload_that_was_given_up_is_not_completed_any_more(world: World, blobs: Shaky) -> None:
    """Its blob is on its way out: a file that is stored now would lose its content."""
    case, desk = world.add_case(), UploadDesk(world.database, blobs, world.keys)
    upload = desk.begin(case, world.user_id("dentist"), 7, {}).upload
    put(world, blobs, case, upload.file_id)
    blobs.stuck = {upload.file_id}
    desk.end(upload)
    dentist = world.person("dentist")
    actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
    with pytest.raises(UploadGone):
        desk.complete(upload, actor, lambda _session: None)
    with world.database.read() as session:
        assert session.get(StoredFile, upload.file_id) is None
