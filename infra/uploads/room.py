"""Room for what is announced, asked before its first byte is taken, and for what an archive unpacks to."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from infra.blobs.local import LocalBlobStore
from infra.blobs.store import BlobStore, StorageFailed, StorageFull
from infra.settings import Settings

NeedRoom: TypeAlias = Callable[[int], None]
"""Raises StorageFull unless so many bytes fit; StorageFailed."""


def room_of(settings: Settings, blobs: BlobStore) -> NeedRoom:
    """Of a local storage; an object storage says itself that it is full, when it is written to."""
    if isinstance(blobs, LocalBlobStore):
        return partial(need_room, settings.blob_folder, reserve=settings.storage_reserve_bytes)
    return endless


def endless(size: int) -> None:
    """Of which nobody knows a bound."""


def need_folder(folder: Path) -> int:
    """Free bytes of the storage. Raises StorageFailed where its folder is not there: what is not mounted is not made anew
    elsewhere."""
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageFailed(errno=error.errno) from error


def need_room(folder: Path, size: int, reserve: int) -> None:
    """Raises StorageFull unless ``size`` bytes fit beside ``reserve`` bytes that stay free; StorageFailed."""
    free = need_folder(folder)
    if free - size < reserve:
        raise StorageFull(free=free)
