"""No file of the corpus harms its reader: each gets its code within the bounds, and the next good file is read."""

import time
from collections.abc import Iterator

import pytest

from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import SENTENCES, FileProblem
from tests.activities.imaging import files
from tests.hostile.corpus import CORPUS, Hostile
from tests.hostile.reader import peak_bytes

SECONDS = 10
MEMORY = 512_000_000
GOOD = files.dicom_file()


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1) as pool:
        yield pool


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({hostile.name for hostile in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
def test_a_hostile_file_gets_its_code_within_its_bounds(pool: ParserPool, hostile: Hostile) -> None:
    source = BytesSource(hostile.make())
    with pool.child() as child:
        before = child.pid
    start = time.monotonic()
    found = pool.examine(source)
    assert time.monotonic() - start < SECONDS + 1
    assert found.problem == hostile.expected
    if found.problem is not None:
        assert SENTENCES[found.problem].endswith(".")
    if found.dicom is not None:  # what was taken is drawn, or refused as plainly
        try:
            pool.render(source, 0, found.dicom.ranges[0] if found.dicom.ranges else None)
        except FileProblem as problem:
            assert problem.code in SENTENCES
    assert pool.examine(BytesSource(GOOD)).problem is None
    assert peak_bytes(pool) < MEMORY
    with pool.child() as child:
        assert child.pid == before  # a child that survives has not been taken over by a crash
