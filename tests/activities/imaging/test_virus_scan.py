"""Files are scanned before anything reads them, where a scanner is set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.imaging.ingest import ImagingActivities
from activities.imaging.readers import open_readers
from infra.blobs.local import LocalBlobStore
from infra.settings import Settings
from infra.virus_scan import ClamAv, ScannerAway
from tests.activities.imaging import files
from tests.activities.imaging.conftest import Clinic
from tests.servers.clamd import PATTERN, Clamd, clamd
from tests.world import sqlite_world


class Memory:
    def __init__(self, content: bytes) -> None:
        self.content = content

    @property
    def size(self) -> int:
        return len(self.content)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


@pytest.fixture
def daemon() -> Iterator[Clamd]:
    with clamd() as running:
        yield running


@pytest.fixture
def clinic(tmp_path: Path, daemon: Clamd) -> Iterator[Clinic]:
    settings = Settings(home=tmp_path, clamav=daemon.address)
    with sqlite_world(tmp_path) as world, open_readers(settings, 1) as pool:
        blobs = LocalBlobStore(tmp_path / "blobs")
        yield Clinic(world, blobs, ImagingActivities(world.database, blobs, world.keys, pool))


@pytest.mark.parametrize("size", [0, 5, 1 << 20, (5 << 20) + 3])
def test_the_whole_content_is_scanned(daemon: Clamd, size: int) -> None:
    assert ClamAv(daemon.address).finds(Memory(bytes(size))) is None
    assert daemon.scanned == [size]
    harmful = bytes(size) + PATTERN
    assert ClamAv(daemon.address).finds(Memory(harmful)) == "Test.Pattern"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.sock"])
def test_no_daemon_is_an_error_and_no_clean_bill(address: str) -> None:
    with pytest.raises(ScannerAway):
        ClamAv(address).finds(Memory(b"x"))


def test_what_the_daemon_takes_not_is_not_clean(daemon: Clamd) -> None:
    daemon.largest = 10
    with pytest.raises(ScannerAway):
        ClamAv(daemon.address).finds(Memory(bytes(11)))


def test_a_harmful_file_is_not_read_and_its_neighbours_are(clinic: Clinic) -> None:
    case = clinic.open_case()
    clinic.put(case, files.photo() + PATTERN, "smile.jpg")
    clinic.put(case, files.pdf(), "letter.pdf")
    clinic.imaging.ingest(case.id)
    found = {(file.kind, file.state, file.problem_code) for file in clinic.files(case)}
    assert found == {("other", "unreadable", "infected"), ("document", "ready", None)}


def test_while_the_scanner_is_away_files_wait_and_are_checked_when_it_is_back(clinic: Clinic, daemon: Clamd) -> None:
    case = clinic.open_case()
    clinic.put(case, files.pdf(), "letter.pdf")
    daemon.largest = 1
    with pytest.raises(ScannerAway):
        clinic.imaging.ingest(case.id)
    assert [file.state for file in clinic.files(case)] == ["stored"]
    daemon.largest = 1 << 20
    clinic.imaging.ingest(case.id)
    assert [file.state for file in clinic.files(case)] == ["ready"]
