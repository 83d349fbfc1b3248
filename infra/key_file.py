"""The file of master keys: made once, readable by its owner alone, rotated in one atomic step."""

import contextlib
import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.keys import MasterKeyFileRefused, MasterKeyMissing, MasterKeys
from infra.settings import Settings
from schemas.errors import OdontoError
from schemas.translation import N_

_log: Final = logging.getLogger(__name__)


class KeyFileExists(OdontoError):
    code = "key_file_exists"
    title = N_("There is a master key file already, and it stays as it is.")


class KeyFileNotWritten(OdontoError):
    code = "key_file_not_written"
    title = N_("The master key file cannot be written there.")


class KeyFileBusy(OdontoError):
    code = "key_file_busy"
    title = N_("Another command is at work on the master key file. Wait until it has ended.")


def load_master_keys(settings: Settings) -> MasterKeys:
    """The master keys of this installation. The embedded mode makes the file at its first start; production refuses to:
    a new key beside an old database would lock everyone out of it.

    Raises MasterKeyMissing, MasterKeyFileRefused.
    """
    path = settings.key_file
    with contextlib.suppress(MasterKeyMissing):
        return read_key_file(path)
    if settings.mode == "production":
        raise MasterKeyMissing(
            f"There is no master key file at {path}. Put it back from its copy, or make the first one with "
            f"`odontoflow new-key {path}`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyFileExists):  # another process that starts at the same moment was first
        create_key_file(path)
    return read_key_file(path)


def create_key_file(path: Path) -> None:
    """Write a first master key, readable by its owner alone and durable, in a folder that exists.

    Raises KeyFileExists, and leaves that file as it is; KeyFileNotWritten.
    """
    with _refusing(path):
        draft = _write_draft(path, MasterKeys.generate().to_text())
        try:
            # A link fails when the name is taken, so of two processes that start at once one makes the key.
            path.hardlink_to(draft)
        except FileExistsError:
            raise KeyFileExists(
                f"{path} exists already and stays as it is. A master key in use is never replaced: all that it protects "
                "would be lost."
            ) from None
        finally:
            draft.unlink()
        _sync_folder(path.parent)


def read_key_file(path: Path) -> MasterKeys:
    """Raises MasterKeyMissing, MasterKeyFileRefused."""
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise MasterKeyMissing from None
    except OSError as error:
        raise MasterKeyFileRefused(f"The master key file {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise MasterKeyFileRefused from None
    if mode & 0o077:
        _log.warning("the master key file can be read by others; its mode should be 0600")
    return MasterKeys.from_text(text)


@contextlib.contextmanager
def holding_key_file(path: Path) -> Iterator[None]:
    """Keeps other changes of the file out until the block ends: of two rotations at once, one would lose its new key, and
    with it whatever it has wrapped. Raises KeyFileBusy, MasterKeyMissing.
    """
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        raise MasterKeyMissing from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise KeyFileBusy from None
    finally:
        os.close(descriptor)


def rotate_key_file(path: Path) -> MasterKeys:
    """Add a new active master key to the file, in one atomic and durable step. Stored keys are then rewrapped one by
    one; older master keys stay in the file for as long as something is wrapped by them.

    Raises MasterKeyMissing, MasterKeyFileRefused, KeyFileNotWritten.
    """
    return _replace(path, read_key_file(path).with_new_version())


def drop_old_keys(path: Path) -> MasterKeys:
    """Leave the active master key alone in the file. Nothing may be wrapped by the others any more.

    Raises MasterKeyMissing, MasterKeyFileRefused, KeyFileNotWritten.
    """
    return _replace(path, read_key_file(path).without_old_versions())


def _replace(path: Path, keys: MasterKeys) -> MasterKeys:
    with _refusing(path):
        draft = _write_draft(path, keys.to_text())
        try:
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(draft, owner.st_uid, owner.st_gid)  # root's rotation must not lock out the account that serves
            draft.replace(path)
        except OSError:
            draft.unlink()
            raise
        _sync_folder(path.parent)
    return keys


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """The system's own word for what is wrong with the place, as a fact."""
    try:
        yield
    except OSError as error:
        raise KeyFileNotWritten(f"The master key file {path} cannot be written: {error.strerror}.") from None


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
