"""A process that writes a blob until it is killed, and says what was confirmed. Run as a module by the crash tests.

Content is a function of the position, so that whoever reads it can check every byte.
"""

import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from infra.blobs.local import LocalBlobStore
from infra.blobs.opening import open_blobs
from infra.blobs.store import BlobStore, StorageFull
from infra.database import Database
from infra.settings import Settings

KEY = bytes(range(32))
BLOCK = 64 * 1024


def content(start: int, length: int) -> bytes:
    """Bytes ``start`` to ``start + length`` of the endless text that all crash tests write."""
    first, last = start // BLOCK, (start + length - 1) // BLOCK
    text = b"".join(random.Random(block).randbytes(BLOCK) for block in range(first, last + 1))
    return text[start - first * BLOCK : start - first * BLOCK + length]


def open_store(where: str) -> BlobStore:
    """A folder, or the settings of an installation as JSON."""
    if not where.startswith("{"):
        return LocalBlobStore(Path(where))
    settings = Settings.model_validate_json(where)
    return open_blobs(settings, Database.from_settings(settings))


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(where: str, blob_id: str, size: int, seed: int) -> None:
    chance = random.Random(seed)
    writer = open_store(where).writer(blob_id, KEY)
    say("open", writer.offset)
    while writer.offset < size:
        piece = min(chance.choice((1_000, 70_000, 300_000, 1 << 20, 3_000_000)), size - writer.offset)
        writer.append(content(writer.offset, piece))
        if chance.random() < 0.4:
            say("synced", writer.sync())
    info = writer.finish()
    say("finished", info.size, info.sha256)


def write_until_full(where: str, blob_id: str, limit: int) -> None:
    """Under a limit on file sizes, which is what a full disk looks like."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    writer = open_store(where).writer(blob_id, KEY)
    try:
        while True:
            writer.append(content(writer.offset, 700_000))
            say("synced", writer.sync())
    except StorageFull as fact:
        say("full", fact.status)
        writer.close()


def measure(where: str, blob_id: str, size: int) -> None:
    """Peak memory (KiB) before and after writing and streaming ``size`` bytes."""
    store, piece = open_store(where), bytes(1 << 20)
    store.writer("warm-up", KEY).finish()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with store.writer(blob_id, KEY) as writer:
        while writer.offset < size:
            writer.append(piece)
        writer.finish()
    with store.reader(blob_id, KEY) as reader:
        read = sum(len(part) for part in reader.stream())
    say(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, read)


if __name__ == "__main__":
    act, where, name, *numbers = sys.argv[1:]
    acts: dict[str, Callable[..., None]] = {"write": write, "full": write_until_full, "measure": measure}
    acts[act](where, name, *map(int, numbers))
