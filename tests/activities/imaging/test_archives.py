"""ZIP archives: what they hold becomes files of the case, once, whatever happens; what lies is refused as a whole."""

import random
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
from sqlmodel import select, update

from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import BytesSource, ParserPool
from infra.blobs.store import StorageFull
from infra.database import now
from infra.file_names import name_of
from infra.removals import sweep
from infra.settings import Settings
from infra.stored_files import open_stored
from infra.uploads.room import room_of
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, StoredFile
from schemas.tables.wires import AuditRow, BlobRemoval
from tests.activities.imaging import files, pictures, zips
from tests.activities.imaging.conftest import Clinic


class Killed(BaseException):
    """The process ends: nothing after it runs, no handler either."""


def members(clinic: Clinic, case: Case) -> list[StoredFile]:
    return [file for file in clinic.files(case) if file.parent_id is not None]


def paths(clinic: Clinic, case: Case) -> list[str]:
    key = clinic.world.keys.data_key(case.key_id)
    return sorted(name_of(key, file)["path"] for file in members(clinic, case))


def blobs(clinic: Clinic) -> int:
    return sum(1 for path in Path(clinic.blobs._folder).rglob("*") if path.is_file())


def volume(count: int) -> dict[str, bytes]:
    """Slices that differ in their numbers alone: one is written, the others are made of it."""
    first = files.dicom_file(study="1.2.9", series="1.2.9.1", SOPInstanceUID="1.2.9.1.10000", number=10000)
    numbers = (str(10000 + index).encode() for index in range(count))
    return {f"CBCT/IM{number.decode()}": first.replace(b"10000", number) for number in numbers}


def test_eight_hundred_slices_in_an_archive_are_a_series_in_one_blob(clinic: Clinic) -> None:
    case = clinic.open_case()
    archive = clinic.put(case, zips.zipped(volume(800)), "scan.zip")
    clinic.imaging.ingest(case.id)
    found = members(clinic, case)
    assert Counter((file.kind, file.state) for file in found) == {("dicom", "ready"): 800}
    assert len({file.blob_id for file in found}) == 1
    assert clinic.file(archive).state == "removed"
    assert blobs(clinic) == 1, "the archive's own bytes are gone"
    with clinic.world.database.read() as session:
        assert len(session.exec(select(Instance).where(Instance.case_id == case.id)).all()) == 800
        assert session.exec(select(AuditRow).where(AuditRow.act == "file.unpack")).one().subject_id == archive
        assert session.exec(select(BlobRemoval)).all() == []
    assert paths(clinic, case)[0] == "scan.zip/CBCT/IM10000"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_bytes_of_an_entry_are_those_that_were_packed(clinic: Clinic, method: int) -> None:
    case = clinic.open_case()
    noise = random.Random(4).randbytes(3 << 20)
    contents = {"a.pdf": files.pdf() + noise + files.pdf(), "b.jpg": files.photo(), "c/jaw.stl": pictures.stl(9000)}
    clinic.put(case, zips.zipped(contents, method), "mixed.zip")
    clinic.imaging.ingest(case.id)
    key = clinic.world.keys.data_key(case.key_id)
    for file in members(clinic, case):
        assert file.state == "ready"
        with open_stored(clinic.blobs, file, key.secret) as reader:
            name = name_of(key, file)["path"].removeprefix("mixed.zip/")
            assert b"".join(reader.stream()) == contents[name]
            assert reader.info().sha256 == file.sha256


def test_a_streamed_archive_is_read_and_what_a_cd_brings_along_is_left_out(clinic: Clinic) -> None:
    case = clinic.open_case()
    content = {"DICOM/IM1": files.dicom_file(), "viewer.exe": b"MZ", "__MACOSX/._IM1": b"x", "Thumbs.db": b"x"}
    clinic.put(case, zips.streamed(content), "cd.zip")
    clinic.imaging.ingest(case.id)
    assert paths(clinic, case) == ["cd.zip/DICOM/IM1"]


@pytest.mark.parametrize("name", zips.LYING)
def test_an_archive_that_lies_or_could_harm_is_refused_by_name(pool: ParserPool, name: str) -> None:
    make, code = zips.LYING[name]
    found = pool.examine(BytesSource(make()))
    assert found.problem is not None and found.problem.value == code
    assert pool.examine(BytesSource(files.dicom_file())).problem is None


def test_the_content_of_an_archive_has_a_bound() -> None:
    with ParserPool(1, archive_bytes=1 << 20) as small:
        fits = zips.zipped({"a": bytes(1 << 20)})
        assert small.examine(BytesSource(fits)).problem is None
        assert small.examine(BytesSource(zips.zipped({"a": bytes((1 << 20) + 1)}))).problem is not None


def test_an_archive_that_would_take_the_last_room_waits_until_there_is_more(
    clinic: Clinic, pool: ParserPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small when it is sent: the reserve is asked anew for what it unpacks to."""
    settings = Settings(home=tmp_path, storage_reserve_bytes=1 << 20)
    assert settings.blob_folder == clinic.blobs._folder
    world, room = clinic.world, room_of(settings, clinic.blobs)
    imaging = ImagingActivities(world.database, clinic.blobs, world.keys, pool, need_room=room)
    case = clinic.open_case()
    archive = clinic.put(case, zips.zipped({"a.pdf": files.pdf() + bytes(2 << 20) + files.pdf()}), "scan.zip")
    free = 3 << 20
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    with pytest.raises(StorageFull):
        imaging.ingest(case.id)
    assert clinic.file(archive).state == "stored"
    assert blobs(clinic) == 1, "nothing was begun"
    free = 4 << 20
    imaging.ingest(case.id)
    assert [file.state for file in members(clinic, case)] == ["ready"]


def test_a_damaged_entry_and_an_archive_within_cost_no_other(clinic: Clinic) -> None:
    case = clinic.open_case()
    good = files.dicom_file()
    archive = bytearray(
        zips.zipped({"bad.dcm": files.dicom_file(size=64), "good.dcm": good, "in.zip": zips.zipped({"a": b"x"})})
    )
    archive[120] ^= 0xFF
    clinic.put(case, bytes(archive), "some.zip")
    clinic.imaging.ingest(case.id)
    found = {name: (state, code) for name, state, code in _states(clinic, case)}
    assert found == {
        "bad.dcm": ("unreadable", "damaged"),
        "good.dcm": ("ready", None),
        "in.zip": ("unreadable", "archive_nested"),
    }


def test_an_entry_whose_bytes_are_not_those_that_were_packed_is_damaged(clinic: Clinic) -> None:
    """Its size is right, and nothing but its checksum tells (APPNOTE.TXT 4.4.7)."""
    case = clinic.open_case()
    whole = files.pdf()
    archive = zips.zipped({"letter.pdf": whole}, zipfile.ZIP_STORED)
    clinic.put(case, archive.replace(b"/Root 1", b"/Root 2", 1), "letters.zip")
    clinic.imaging.ingest(case.id)
    assert _states(clinic, case) == [("letter.pdf", "unreadable", "damaged")]


def _states(clinic: Clinic, case: Case) -> list[tuple[str, str, str | None]]:
    key = clinic.world.keys.data_key(case.key_id)
    return [(name_of(key, file)["name"], file.state, file.problem_code) for file in members(clinic, case)]


KILLS = ["before the blob", "within an entry", "between two entries", "before the rows", "after the rows"]


@pytest.mark.parametrize("point", KILLS)
def test_a_kill_at_any_point_leaves_the_same_files_once(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    case = clinic.open_case()
    clinic.put(case, zips.zipped(volume(4)), "scan.zip")
    with monkeypatch.context() as patch:
        _kill_at(patch, clinic, point)
        with pytest.raises(Killed):
            clinic.imaging.ingest(case.id)
    clinic.imaging.ingest(case.id)
    clinic.imaging.ingest(case.id)
    assert Counter((file.kind, file.state) for file in members(clinic, case)) == {("dicom", "ready"): 4}
    with clinic.world.database.write() as session:
        session.exec(update(BlobRemoval).values(due_at=now() - timedelta(seconds=1)))
    sweep(clinic.world.database, clinic.blobs)
    assert blobs(clinic) == 1, "nothing that nobody refers to stays"
    key = clinic.world.keys.data_key(case.key_id)
    for file in members(clinic, case):
        with open_stored(clinic.blobs, file, key.secret) as reader:
            assert reader.info().sha256 == file.sha256


def _kill_at(patch: pytest.MonkeyPatch, clinic: Clinic, point: str) -> None:
    opener = clinic.imaging._archives
    unpack = opener._unpack
    calls = iter(range(100))

    def die(*_: object, **__: object) -> NoReturn:
        raise Killed

    def die_within(_: object, __: object, sink: Callable[[bytes], object]) -> NoReturn:
        sink(b"half")
        raise Killed

    match point:
        case "before the blob":
            patch.setattr(clinic.blobs, "writer", die)
        case "within an entry":
            patch.setattr(opener._pool, "unpack", die_within)
        case "between two entries":
            patch.setattr(opener, "_unpack", lambda *given: unpack(*given) if next(calls) < 2 else die())
        case "before the rows":
            patch.setattr("activities.imaging.archives._replace", die)
        case _:
            patch.setattr("activities.imaging.archives.remove", die)


def test_an_archive_that_is_removed_while_it_is_opened_leaves_nothing(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = clinic.open_case()
    archive = clinic.put(case, zips.zipped(volume(2)), "scan.zip")
    opener = clinic.imaging._archives
    unpack = opener._unpack

    def meanwhile(*given: object) -> object:
        with clinic.world.database.write() as session:
            session.get_one(StoredFile, archive).state = "removed"
        return unpack(*given)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(opener, "_unpack", meanwhile)
    clinic.imaging.ingest(case.id)
    assert members(clinic, case) == []
    assert blobs(clinic) == 1, "only the archive's, which whoever removed it lets go of"


def test_an_archive_that_comes_twice_is_kept_once(clinic: Clinic) -> None:
    case = clinic.open_case()
    content = volume(3)
    for name in ("scan.zip", "scan again.zip"):
        clinic.put(case, zips.zipped(content), name)
        clinic.imaging.ingest(case.id)
    assert Counter(file.state for file in members(clinic, case)) == {"ready": 3, "removed": 3}
    assert blobs(clinic) == 1
