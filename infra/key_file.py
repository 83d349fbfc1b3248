"""The file of master keys: made once, readable by its owner alone, rotated in one atomic step."""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Final

from infra.keys import MasterKeyFileRefused, MasterKeyMissing, MasterKeys
from infra.settings import Settings

_log: Final = logging.getLogger(__name__)


def load_master_keys(settings: Settings) -> MasterKeys:
    """The master keys of this installation. The embedded mode makes the file at its first start; production refuses to:
    a new key beside an old database would lock everyone out of it.

    Raises MasterKeyMissing, MasterKeyFileRefused.
    """
    path = settings.key_file
    if not path.exists():
        if settings.mode == "production":
            raise MasterKeyMissing
        create_key_file(path)
    return read_key_file(path)


def create_key_file(path: Path) -> None:
    """Write a first master key, readable by its owner alone and durable. An existing file stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _write_draft(path, MasterKeys.generate().to_text())
    # A link fails when the name is taken, so of two processes that start at once one makes the key and both read it.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    _sync_folder(path.parent)


def read_key_file(path: Path) -> MasterKeys:
    """Raises MasterKeyMissing, MasterKeyFileRefused."""
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise MasterKeyMissing from None
    except (OSError, ValueError):
        raise MasterKeyFileRefused from None
    if mode & 0o077:
        _log.warning("the master key file can be read by others; its mode should be 0600")
    return MasterKeys.from_text(text)


def rotate_key_file(path: Path) -> MasterKeys:
    """Add a new active master key to the file, in one atomic and durable step. Stored keys are then rewrapped one by
    one; older master keys stay in the file for as long as something is wrapped by them.
    """
    keys = read_key_file(path).with_new_version()
    _write_draft(path, keys.to_text()).replace(path)
    _sync_folder(path.parent)
    return keys


def _write_draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
