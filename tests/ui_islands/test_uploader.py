"""The uploader over tus, in a browser: folders, resuming, lost lines, ended sessions, refusals."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.ui_islands.double import Double


def until(page: Page, holds: Callable[[], bool], why: str) -> None:
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(why)


def row(page: Page, label: str) -> Locator:
    return page.locator(f'.upload-row[data-label="{label}"]')


def stored(double: Double) -> dict[str, str]:
    """relative path → digest of every complete upload."""
    return {
        upload.metadata["relative_path"]: hashlib.sha256(upload.data).hexdigest()
        for upload in double.uploads.values()
        if len(upload.data) == upload.length
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A patient CD in small: images in sub-folders, its viewer program, and system files."""
    root = tmp_path / "CBCT export"
    for series in ("SER1", "SER2"):
        (root / series).mkdir(parents=True)
        for number in range(60):
            (root / series / f"IM{number:04}").write_bytes(bytes([number]) * (200 + number))
    (root / "viewer.exe").write_bytes(b"MZ")
    (root / ".DS_Store").write_bytes(b"x")
    return root


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of several chunks' worth of distinct bytes."""
    path = tmp_path / "Smith^Anna volume.dcm"
    path.write_bytes(b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(160_000)))
    return path


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("IM*")
    }


def test_a_chosen_folder_is_one_row_and_every_byte_arrives(
    page: Page, origin: str, double: Double, folder: Path
) -> None:
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-folder").set_input_files(folder)
    expect(row(page, "CBCT export")).to_contain_text("120 files stored")
    assert page.locator(".upload-row").count() == 1
    expect(page.locator(".dropzone-hint")).to_contain_text("2 files were left out")
    assert stored(double) == digests(folder)
    assert {upload.metadata["case_id"] for upload in double.uploads.values()} == {"case_1"}
    assert double.checksums == 120
    until(page, lambda: double.settled == 1, "the server was not told that the batch is complete")


def test_a_dropped_folder_is_read_to_its_end(page: Page, origin: str, double: Double, tmp_path: Path) -> None:
    # More than the 100 entries that a directory reader hands out at a time.
    root = tmp_path / "many"
    root.mkdir()
    for number in range(130):
        (root / f"IM{number:04}").write_bytes(b"%d" % number)
    page.goto(f"{origin}/uploader")
    cdp = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        drop = {"items": [], "files": [str(root)], "dragOperationsMask": 1}
        cdp.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 500, "data": drop})
        if kind == "dragOver":
            expect(page.locator(".dropzone-veil")).to_be_visible()
    expect(row(page, "many")).to_contain_text("130 files stored", timeout=20_000)
    expect(page.locator(".dropzone-veil")).to_be_hidden()
    assert stored(double) == digests(root)


def test_after_a_reload_the_same_file_goes_on_where_it_stopped(
    page: Page, origin: str, double: Double, large: Path
) -> None:
    page.goto(f"{origin}/uploader")
    double.cut_after = 1_000_000
    double.down_after_cut = True
    page.locator("input.upload-files").set_input_files(large)
    until(page, lambda: any(len(one.data) >= 1_000_000 for one in double.uploads.values()), "nothing was sent")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "odontoflow-upload" in kept
    assert "Smith" not in kept and "volume" not in kept

    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator(".dropzone-hint")).to_contain_text("goes on where it stopped")
    double.down = False
    before = len(double.patched)
    page.locator("input.upload-files").set_input_files(large)
    expect(row(page, large.name)).to_contain_text("1 file stored")
    assert double.patched[before][1] >= 1_000_000
    assert stored(double) == {large.name: hashlib.sha256(large.read_bytes()).hexdigest()}
    assert len(double.uploads) == 1


def test_a_lost_line_is_waited_for(page: Page, origin: str, double: Double, folder: Path) -> None:
    double.slow_uploads = 0.05
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-folder").set_input_files(folder)
    until(page, lambda: len(stored(double)) > 3, "nothing was sent")
    page.context.set_offline(True)
    expect(page.locator(".upload-notice")).to_contain_text("You are offline.")
    sent = len(stored(double))
    assert sent < 120
    double.slow_uploads = 0
    page.context.set_offline(False)
    expect(row(page, "CBCT export")).to_contain_text("120 files stored")
    assert stored(double) == digests(folder)


def test_pause_and_continue(page: Page, origin: str, double: Double, folder: Path) -> None:
    double.slow_uploads = 0.05
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-folder").set_input_files(folder)
    until(page, lambda: len(stored(double)) > 3, "nothing was sent")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".upload-notice")).to_contain_text("Paused")
    page.wait_for_timeout(300)
    held = len(stored(double))
    page.wait_for_timeout(400)
    assert len(stored(double)) == held < 120
    double.slow_uploads = 0
    page.get_by_role("button", name="Continue").click()
    expect(row(page, "CBCT export")).to_contain_text("120 files stored")
    assert stored(double) == digests(folder)


def test_small_steps_on_the_page_do_not_stop_an_upload_and_those_that_send_the_files_wait(
    page: Page, origin: str, double: Double, folder: Path
) -> None:
    double.slow_uploads = 0.05
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.goto(f"{origin}/uploader/beside")
    submit = page.get_by_role("button", name="Submit")
    expect(submit).to_be_enabled()
    page.locator("input.upload-folder").set_input_files(folder)
    expect(submit).to_be_disabled()
    expect(page.get_by_text("On their way.")).to_be_visible()
    expect(page.get_by_text("Ready.")).to_be_hidden()
    page.get_by_role("button", name="Remove scan").click()
    expect(page.locator("#sent")).to_have_text("nonce=n&which=scan")
    expect(page.locator(".dropzone-hint")).to_have_text("The file was removed.")
    expect(submit).to_be_disabled()
    double.slow_uploads = 0
    expect(row(page, "CBCT export")).to_contain_text("120 files stored")
    expect(submit).to_be_enabled()
    expect(page.get_by_text("Ready.")).to_be_visible()
    assert not dialogs
    assert stored(double) == digests(folder)


def test_an_ended_session_pauses_with_a_way_to_sign_in(page: Page, origin: str, double: Double, large: Path) -> None:
    page.goto(f"{origin}/uploader")
    double.signed_out = True
    page.locator("input.upload-files").set_input_files(large)
    expect(page.locator(".upload-notice")).to_contain_text("Your session has ended.")
    expect(page.locator(".upload-notice a")).to_have_attribute("href", "/sign-in")
    double.signed_out = False
    page.locator(".upload-continue").click()
    expect(row(page, large.name)).to_contain_text("1 file stored")


@pytest.mark.parametrize("trouble", ["signed_out", "storage"])
def test_a_question_that_is_not_answered_does_not_start_a_file_anew(
    page: Page, origin: str, double: Double, large: Path, trouble: str
) -> None:
    """After a reload the offset is asked for; that the session is over, or the server not there, says nothing of the file."""
    page.goto(f"{origin}/uploader")
    double.cut_after = 1_000_000
    double.down_after_cut = True
    page.locator("input.upload-files").set_input_files(large)
    until(page, lambda: any(len(one.data) >= 1_000_000 for one in double.uploads.values()), "nothing was sent")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    double.down = False
    before = len(double.patched)
    if trouble == "signed_out":
        double.signed_out = True
        page.locator("input.upload-files").set_input_files(large)
        expect(page.locator(".upload-notice")).to_contain_text("Your session has ended.")
        page.locator(".upload-continue").click()
        page.wait_for_timeout(300)
        double.signed_out = False
        page.locator(".upload-continue").click()
    else:
        double.storage = (503, "busy")
        page.locator("input.upload-files").set_input_files(large)
        page.wait_for_timeout(1000)
        double.storage = None
    expect(row(page, large.name)).to_contain_text("1 file stored")
    assert double.patched[before][1] >= 1_000_000
    assert len(double.uploads) == 1


def test_a_refused_file_is_one_sentence_and_the_others_go_on(
    page: Page, origin: str, double: Double, tmp_path: Path
) -> None:
    names = ["notes.docx", "plan.docx", "IM1.dcm", "empty.dcm"]
    for name in names:
        (tmp_path / name).write_bytes(b"" if name == "empty.dcm" else b"content")
    double.refuse_names = frozenset({"notes.docx", "plan.docx"})
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-files").set_input_files([tmp_path / name for name in names])
    errors = page.locator(".upload-error")
    expect(errors).to_have_count(2)
    expect(errors.filter(has_text="docx")).to_have_text(
        "notes.docx, plan.docx: This kind of file is not accepted. Send DICOM, JPEG, PNG or PDF."
    )
    expect(errors.filter(has_text="empty.dcm")).to_contain_text("This file is empty. Please export it again")
    until(page, lambda: list(stored(double)) == ["IM1.dcm"], "the good file did not go on")
    double.refuse_names = frozenset()
    page.get_by_role("button", name="Try again").click()
    until(page, lambda: len(stored(double)) == 3, "trying again sent nothing")


def test_cancelling_makes_the_server_forget(page: Page, origin: str, double: Double, large: Path) -> None:
    page.goto(f"{origin}/uploader")
    double.cut_after = 500_000
    double.down_after_cut = True
    page.locator("input.upload-files").set_input_files(large)
    until(page, lambda: any(one.data for one in double.uploads.values()), "nothing was sent")
    double.down = False
    page.get_by_role("button", name="Cancel").click()
    expect(row(page, large.name)).to_contain_text("Cancelled")
    until(page, lambda: double.uploads == {}, "the server still has it")
    assert double.settled == 0


@pytest.mark.parametrize(
    ("storage", "sentence"),
    [((507, "storage_full"), "The storage of this system is full."), ((503, "storage_failed"), "does not answer.")],
)
def test_a_storage_that_is_full_or_away_pauses_everything_and_loses_nothing(
    page: Page, origin: str, double: Double, folder: Path, storage: tuple[int, str], sentence: str
) -> None:
    page.clock.install()
    double.slow_uploads = 0.05
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-folder").set_input_files(folder)
    until(page, lambda: len(stored(double)) > 3, "nothing was sent")
    double.storage = storage
    notice = page.locator(".upload-notice")
    expect(notice).to_contain_text(sentence)
    expect(notice).to_contain_text("What was sent is kept")
    expect(page.locator(".upload-error")).to_have_count(0)
    held = len(double.patched)
    page.clock.run_for(31_000)
    expect(notice).to_contain_text(sentence)
    double.storage, double.slow_uploads = None, 0
    page.clock.run_for(31_000)
    expect(row(page, "CBCT export")).to_contain_text("120 files stored")
    assert len(double.patched) > held
    assert stored(double) == digests(folder)


def test_what_the_case_has_already_is_said(page: Page, origin: str, double: Double, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"the same photograph")
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-files").set_input_files(tmp_path / "a.jpg")
    expect(row(page, "a.jpg")).to_contain_text("1 file stored")
    page.locator("input.upload-files").set_input_files(tmp_path / "b.jpg")
    expect(row(page, "b.jpg")).to_contain_text("1 was there already and is kept once")
    expect(page.locator(".dropzone-known")).to_contain_text("1 was there already and is kept once")


def test_what_the_server_does_not_take_is_not_sent(page: Page, origin: str, double: Double, large: Path) -> None:
    double.most_bytes = 1_000_000
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-files").set_input_files(large)
    expect(page.locator(".upload-error")).to_contain_text("the most that is taken here")
    assert double.uploads == {}


def test_a_second_tab_does_not_call_interrupted_what_the_first_one_sends(
    page: Page, origin: str, double: Double, large: Path
) -> None:
    double.slow_uploads = 6
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-files").set_input_files(large)
    until(page, lambda: len(double.uploads) == 1, "nothing was begun")
    other = page.context.new_page()
    other.goto(f"{origin}/uploader")
    expect(other.locator(".dropzone-hint")).to_have_text("Files are being sent in another tab of this browser.")
    double.slow_uploads = 0


def test_two_tabs_do_not_fight_for_a_file(page: Page, origin: str, double: Double, large: Path) -> None:
    double.slow_uploads = 4
    page.goto(f"{origin}/uploader")
    page.locator("input.upload-files").set_input_files(large)
    until(page, lambda: len(double.uploads) == 1, "nothing was begun")
    other = page.context.new_page()
    other.goto(f"{origin}/uploader")
    other.locator("input.upload-files").set_input_files(large)
    expect(row(other, large.name)).to_contain_text("1 is sent in another tab")
    assert len(double.uploads) == 1
    double.slow_uploads = 0
    for tab in (page, other):
        expect(row(tab, large.name)).to_contain_text("1 file stored")
    assert set(stored(double).values()) == {hashlib.sha256(large.read_bytes()).hexdigest()}
    other.close()
