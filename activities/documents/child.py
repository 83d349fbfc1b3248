"""The laying-out process: reads documents on standard input, answers with PDFs, and ends when its input ends.

Started by activities/documents/process.py as ``python -m activities.documents.child``, never imported by it.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Final

from activities.documents.errors import PdfFailed, PdfLibraryMissing, UnusablePicture
from activities.documents.frames import FAILED, PDF, read_frame, write_frame

if TYPE_CHECKING:
    from activities.documents.renderer import Rendering

ADDRESS_SPACE_BYTES: Final = 1536 * 2**20
FILE_BYTES: Final = 64 * 2**20
OPEN_FILES: Final = 128
CPU_SECONDS: Final = 60


def limit_resources() -> None:
    """Bounds that a broken or hostile document meets before the machine does. Fonts are the only files written."""
    for what, most in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def limit_cpu() -> None:
    """Grant the next document `CPU_SECONDS`; past them the system ends the process, also where nobody watches it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    bound = int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def serve(source: IO[bytes], target: IO[bytes], lay_out: "Callable[[bytes], Rendering]") -> None:
    """Answer documents until `source` ends. A failure is answered by its code; its words may hold PHI and stay here."""
    while True:
        try:
            _, body = read_frame(source)
        except EOFError:
            return
        limit_cpu()
        try:
            rendering = lay_out(body)
        except UnusablePicture as failure:
            write_frame(target, FAILED, _failure(failure.code, failure))
        except Exception as failure:  # whatever a document provokes is that document's failure, not the process's end
            write_frame(target, FAILED, _failure(PdfFailed.code, failure))
        else:
            facts = json.dumps({"pages": rendering.pages, "missing_glyphs": rendering.missing_glyphs}).encode()
            write_frame(target, PDF, len(facts).to_bytes(4, "big") + facts + rendering.pdf)


def _failure(code: str, failure: Exception) -> bytes:
    return json.dumps({"code": code, "kind": type(failure).__name__}).encode()


def main() -> None:
    """Keep the real output for frames, and send whatever a library prints nowhere."""
    target = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_resources()
    source = sys.stdin.buffer
    try:
        from activities.documents import renderer  # noqa: PLC0415 - the import is what may fail, and is answered
    except OSError as missing:
        write_frame(target, FAILED, _failure(PdfLibraryMissing.code, missing))
        return
    renderer.silence()
    from activities.documents.document import ReportDocument  # noqa: PLC0415

    serve(source, target, lambda body: renderer.render(ReportDocument.model_validate_json(body)))


if __name__ == "__main__":
    main()
