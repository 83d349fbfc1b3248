"""PDFs from a warm process of their own: WeasyPrint's memory, crashes and long layouts stay out of the worker.

The process is started anew, not forked: a fork would hold the worker's sockets and locks (`subprocess` closes them all),
and it gets none of the worker's environment, so no secret either.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from activities.documents.document import ReportDocument
from activities.documents.errors import PdfFailed, PdfLibraryMissing, PdfTimedOut, UnusablePicture
from activities.documents.frames import DOCUMENT, FAILED, PDF, read_frame, write_frame
from infra.closing import Closing

_ROOT: Final = Path(__file__).resolve().parents[2]
_ENVIRONMENT: Final = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "FONTCONFIG_PATH",
    "FONTCONFIG_FILE",
)
_FAILURES: Final = {failure.code: failure for failure in (PdfFailed, PdfLibraryMissing)}
_log = logging.getLogger(__name__)


class PdfRenderer(Closing):
    """Lays out one document at a time; thread-safe. The process starts with the first document, or with `warm`.

    A process that crashed, hung past `timeout_seconds` or made `documents_per_process` documents is replaced.
    """

    def __init__(self, *, timeout_seconds: float = 60, documents_per_process: int = 500) -> None:
        self._timeout = timeout_seconds
        self._documents_per_process = documents_per_process
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def warm(self) -> None:
        """Start the process now, so that the first document need not wait for its imports."""
        with self._lock:
            self._running()

    def render(self, document: ReportDocument) -> bytes:
        """The document as PDF bytes.

        Raises PdfTimedOut, PdfLibraryMissing, PdfFailed, and UnusablePicture where a logo or key image is at fault.
        """
        body = document.model_dump_json().encode()
        with self._lock:
            kind, answer = self._exchange(body)
        if kind == FAILED:
            facts = json.loads(answer)
            _log.warning("report %s could not be laid out: %s", document.report_id, facts["kind"])
            if facts["code"] == UnusablePicture.code:
                raise UnusablePicture
            raise _FAILURES.get(facts["code"], PdfFailed)
        length = int.from_bytes(answer[:4], "big")
        facts = json.loads(answer[4 : 4 + length])
        if facts["missing_glyphs"]:
            _log.warning(
                "report %s: no installed font draws %d of its characters; install fonts for its script",
                document.report_id,
                facts["missing_glyphs"],
            )
        return answer[4 + length :]

    def close(self) -> None:
        """End the process; the next document starts another."""
        with self._lock:
            self._stop()

    @property
    def pid(self) -> int | None:
        """Of the running process, None while there is none."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def _exchange(self, body: bytes) -> tuple[bytes, bytes]:
        if self._made >= self._documents_per_process:
            self._stop()
        process = self._running()
        late = threading.Event()

        def stop_late() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(self._timeout, stop_late)
        watch.daemon = True
        watch.start()
        try:
            if process.stdin is None or process.stdout is None:
                raise PdfFailed
            try:
                write_frame(process.stdin, DOCUMENT, body)
            except BrokenPipeError:
                _log.info("the laying-out process ended before it read a document")
            kind, answer = read_frame(process.stdout)
        except (EOFError, OSError, ValueError) as broken:
            self._stop()
            raise (PdfTimedOut if late.is_set() else PdfFailed) from broken
        finally:
            watch.cancel()
        self._made += 1
        if kind not in {PDF, FAILED}:
            self._stop()
            raise PdfFailed
        return kind, answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "activities.documents.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            close_fds=True,
            start_new_session=True,
        )
        self._made = 0
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    _log.debug("a pipe to the laying-out process was already broken")
        process.wait()
