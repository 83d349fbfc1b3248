"""What children say: whole lines into a file each, and some of them onto the screen."""

import sys
from collections import deque
from pathlib import Path

ROTATE_BYTES = 10 * 1024 * 1024
REMEMBERED_LINES = 12


def plain(line: bytes) -> str:
    """The line as text without terminal colours."""
    text = line.decode("utf-8", "replace").rstrip()
    if "\x1b" in text:
        import re

        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return text


def say(text: str) -> None:
    """One line for the person. A closed terminal must not end the system."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return


class Output:
    """The output of one child. ``prefix`` is None when its lines belong into the file alone."""

    def __init__(self, file: Path, prefix: str | None) -> None:
        self.file = file
        self.prefix = prefix
        self.last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._partial = b""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._rotate_if_large()
        self._stream = file.open("ab", buffering=0)

    def feed(self, chunk: bytes) -> None:
        """Takes what was read; complete lines are written, the rest waits for its end."""
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for line in lines:
            self._write(line)

    def finish(self) -> None:
        """Writes an unfinished last line."""
        if self._partial:
            self._write(self._partial)
            self._partial = b""

    def _write(self, line: bytes) -> None:
        text = plain(line)
        self.last_lines.append(text)
        try:
            self._stream.write(f"{text}\n".encode())
            if self._stream.tell() > ROTATE_BYTES:
                self._stream.close()
                self._rotate_if_large()
                self._stream = self.file.open("ab", buffering=0)
        except OSError as error:
            say(f"{self.file}: the log cannot be written ({error.strerror})")
        if self.prefix is not None:
            say(f"{self.prefix} | {text}")

    def _rotate_if_large(self) -> None:
        if self.file.exists() and self.file.stat().st_size > ROTATE_BYTES:
            self.file.replace(self.file.with_suffix(".log.1"))
