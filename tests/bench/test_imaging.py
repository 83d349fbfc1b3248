"""The benchmarks of uploads and images: what they send, what they count, and what they say where a peer is missing."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from api.imaging.multipart import Begin, PartReader, boundary_of
from bench import storing, uploads
from bench.installation import installation
from bench.measures import Figure, table
from bench.peers import orthanc, tus
from bench.peers.found import NotHere
from bench.slices import STOW_TYPE, series
from bench.usage import cpu_seconds, descendants, forget_peak, peak_mib, resident_mib

_BURNS = "import subprocess, sys, time; end = time.process_time() + .3\nwhile time.process_time() < end: pass\nsys.stdin.read()"
_SIZE = 20 << 20
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BURNS!r}])"


def test_a_goal_without_its_peer_is_not_measured_and_no_pass() -> None:
    figure = Figure("P0", "a step", "a peer", "ms", 1.5, [1.0])
    assert figure.is_met is None
    assert table([figure]).endswith("| a peer | – | ≤ 1.5 | **not measured** |")


@pytest.mark.parametrize(("bound", "met"), [(4.0, False), (5.0, True)])
def test_a_bound_is_asked_of_our_own_value(bound: float, met: bool) -> None:
    figure = Figure("P0", "the worst", "a peer", "ms", bound, [5.0], [50.0], is_bound=True)
    assert figure.is_met is met
    assert f"| ≤ {bound:g} ms |" in table([figure])


def test_a_process_is_counted_with_its_children_while_they_run_and_after() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE) as process:
        while cpu_seconds(process.pid) < 0.3:
            assert process.poll() is None
        assert len(descendants(process.pid)) == 2
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


def test_the_peak_of_memory_is_counted_from_a_moment_on() -> None:
    script = "import sys; held = bytearray(64 << 20); held = None; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        assert peak_mib(process.pid) > 64
        forget_peak(process.pid)
        assert peak_mib(process.pid) < resident_mib(process.pid) + 8
        process.stdin.close()


def test_a_series_is_a_body_of_instances_that_name_themselves() -> None:
    sent = series(3)
    reader = PartReader(boundary_of(STOW_TYPE))
    parts: list[bytes] = []
    for piece in reader.feed(sent.stow):
        if isinstance(piece, Begin):
            parts.append(b"")
        else:
            parts[-1] += piece
    assert reader.is_whole
    found = [pydicom.dcmread(io.BytesIO(part)) for part in parts]
    assert [str(each.SOPInstanceUID) for each in found] == list(sent.sop_uids)
    assert {str(each.SeriesInstanceUID) for each in found} == {sent.series_uid}
    assert len({each.PixelData for each in found}) == 3


def test_missing_peers_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(orthanc.SETTING, str(tmp_path / "nowhere"))
    with pytest.raises(NotHere, match="orthanc-dicomweb"), orthanc.orthanc(tmp_path):
        pass
    monkeypatch.setattr(tus, "_SERVER", tmp_path)
    with pytest.raises(NotHere, match="make bench-peers"), tus.tus_server(tmp_path):
        pass


async def test_a_series_and_a_file_go_in_on_a_real_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_QUIET_S", 0.0)
    stored, sent = storing.Timings(), uploads.Timings()
    async with installation() as stage:
        await storing.our_round(stage, 4, stored)
        await asyncio.to_thread(uploads.in_rounds, stage, None, 1, _SIZE, sent)
    assert [figure.is_met for figure in storing.figures(stored, 4)][:2] == [None, None], "there was no peer"
    assert all(
        value > 0 for value in (*stored.ours, *stored.ready_s, *sent.ours.chunks, *sent.ours.whole, *sent.copies)
    )
    assert len(sent.ours.memory) == len(sent.ours.worst) == 1
