"""Finding the programs that tests start, and ending what they started."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

# A server is often outside an ordinary user's PATH; the environment's own programs come first.
SEARCH_PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def missing(what: str, remedy: str) -> NoReturn:
    """A missing tool fails in CI, where nothing may be skipped silently, and skips with its reason elsewhere."""
    sentence = f"{what} is missing: {remedy}"
    if in_ci():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def program(*names: str, remedy: str) -> str:
    """Path of the first of these programs that exists."""
    for name in names:
        if found := shutil.which(name, path=SEARCH_PATH):
            return found
    missing(names[0], remedy)


def end(process: "subprocess.Popen[bytes]", grace: float = 10.0) -> None:
    """Asks a process to end, and kills it when it does not within ``grace`` seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
