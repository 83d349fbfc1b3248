"""The laying-out process: warm, apart, bounded, and replaced when it dies."""

import io
import logging
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest
from pypdf import PdfReader

from activities.documents import child, process
from activities.documents.document import ImageAsset
from activities.documents.errors import PdfFailed, PdfLibraryMissing, PdfTimedOut, UnusablePicture
from activities.documents.frames import DOCUMENT, FAILED, read_frame, write_frame
from activities.documents.process import PdfRenderer
from schemas.report import ReportContent
from tests.activities.documents.samples import content, document, picture, signed


def test_the_caller_never_loads_the_layout_engine() -> None:
    code = "import activities.documents.process, sys; sys.exit('weasyprint' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_process_serves_many_threads(renderer: PdfRenderer) -> None:
    renderer.render(document())
    pid = renderer.pid
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda n: renderer.render(document(draft=ReportContent(), report_id=f"rep_{n}")), range(4))
        )
    titles = [metadata.title for metadata in (PdfReader(io.BytesIO(pdf)).metadata for pdf in made) if metadata]
    assert titles == [f"Radiology report rep_{number}" for number in range(4)]
    assert renderer.pid == pid


def test_a_killed_process_is_replaced_and_makes_the_same_bytes(renderer: PdfRenderer) -> None:
    before = renderer.render(document())
    first = renderer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert renderer.render(document()) == before
    assert renderer.pid not in {None, first}


def test_a_document_that_takes_too_long_is_stopped_and_the_next_one_succeeds() -> None:
    with PdfRenderer(timeout_seconds=0.02) as hurried:
        with pytest.raises(PdfTimedOut):
            hurried.render(document())
        assert hurried.pid is None
        hurried._timeout = 60
        assert hurried.render(document()).startswith(b"%PDF")


def test_the_process_holds_none_of_the_callers_files_or_secrets(
    renderer: PdfRenderer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ODONTOFLOW_MASTER_KEY_FILE", "/secret")
    renderer.close()
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        renderer.render(document())
        proc = Path(f"/proc/{renderer.pid}")
        assert b"ODONTOFLOW" not in (proc / "environ").read_bytes()
        assert str(tmp_path) not in " ".join(str(link.readlink()) for link in (proc / "fd").iterdir())
    limits = (proc / "limits").read_text()
    assert f"Max address space         {child.ADDRESS_SPACE_BYTES}" in limits
    assert "Max core file size        0" in limits


def test_a_bad_picture_is_named_and_the_process_goes_on(renderer: PdfRenderer) -> None:
    renderer.render(document())
    pid = renderer.pid
    with pytest.raises(UnusablePicture):
        renderer.render(document(images=(ImageAsset(image_id="k1", data=picture()[:300]),)))
    assert renderer.render(document()).startswith(b"%PDF")
    assert renderer.pid == pid


def test_the_process_is_renewed_after_its_share_of_documents() -> None:
    with PdfRenderer(documents_per_process=1) as short_lived:
        short_lived.render(document())
        first = short_lived.pid
        short_lived.render(document())
        assert short_lived.pid not in {None, first}


def test_nothing_of_a_document_reaches_the_log(renderer: PdfRenderer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    renderer.render(document(signed(content(impression="\U00012000 Whitfield-Canary"))))
    assert "no installed font draws" in caplog.text
    assert "Canary" not in caplog.text


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(FAILED, b'{"code": "pdf_library_missing", "kind": "OSError"}')])
    renderer = PdfRenderer()
    monkeypatch.setattr(renderer, "_exchange", lambda _: next(answers))
    with pytest.raises(PdfLibraryMissing, match=r"apt-get install libpango-1\.0-0"):
        renderer.render(document())


def test_the_child_answers_a_missing_library_and_ends(tmp_path: Path) -> None:
    """A module that fails on import as WeasyPrint does where Pango is not installed."""
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from activities.documents.child import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], input=b"", capture_output=True, check=False, cwd=process._ROOT, timeout=60
    )
    kind, body = read_frame(io.BytesIO(result.stdout))
    assert kind == FAILED
    assert PdfLibraryMissing.code.encode() in body


def test_an_answer_that_is_cut_short_is_a_failure() -> None:
    stream = io.BytesIO()
    write_frame(stream, DOCUMENT, b"0123456789")
    whole = stream.getvalue()
    assert read_frame(io.BytesIO(whole)) == (DOCUMENT, b"0123456789")
    for length in range(len(whole)):
        with pytest.raises(EOFError):
            read_frame(io.BytesIO(whole[:length]))
    with pytest.raises(EOFError):
        read_frame(io.BytesIO(b"P" + b"\xff" * 8))


def test_a_document_that_breaks_the_layout_is_that_documents_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "limit_cpu", lambda: None)  # it would bound the life of the process that runs the tests
    requests, answers = io.BytesIO(), io.BytesIO()
    for _ in range(2):
        write_frame(requests, DOCUMENT, b"Martha Whitfield")
    requests.seek(0)

    def broken(body: bytes) -> NoReturn:
        raise MemoryError(body.decode())

    child.serve(requests, answers, broken)
    answers.seek(0)
    for _ in range(2):
        kind, body = read_frame(answers)
        assert kind == FAILED
        assert PdfFailed.code.encode() in body
        assert b"Whitfield" not in body
