"""Room for what is announced, asked before its first byte is taken."""

import shutil
from pathlib import Path

from infra.blobs.store import StorageFailed, StorageFull


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
