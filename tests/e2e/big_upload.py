"""One file of a gigabyte through the browser, with everything that happens on the way: ``python -m tests.e2e.big_upload PID``.

For a running system with the demo's data (``make run``); ``PID`` is that of its web server, ``worker api``, which is killed in
the middle and started again by its supervisor. Then the browser loses its line, and then the page is loaded anew and the same
file chosen again. In the end the file is checked, and every byte as it was sent. Not part of
``make test``: it takes minutes and three gigabytes of disk.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from infra.demo_accounts import DEMO_PASSWORD

_FRAMES = 1990
_SIDE = 512
_PATIENT = "Maja Lindqvist"


def volume(path: Path) -> str:
    """An enhanced CT image of 1.04 GB that no packing makes smaller; returns its SHA-256."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = EnhancedCTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = generate_uid(), generate_uid(), "CT"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Lindqvist^Maja", "DEMO-1001", "19680417", "F"
    ds.SeriesDescription, ds.InstanceNumber, ds.NumberOfFrames = "Large volume", 1, _FRAMES
    ds.Rows = ds.Columns = _SIDE
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    noise = np.random.default_rng(1).integers(0, 65535, (_FRAMES, _SIDE, _SIDE), dtype=np.uint16)
    ds.PixelData = noise.tobytes()
    ds.save_as(path, enforce_file_format=True)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Sender:
    """A dentist's browser, with the file beside it."""

    def __init__(self, page: Page, base: str, path: Path) -> None:
        self._page, self._base, self._path = page, base, path

    def open_draft(self) -> str:
        """A case of the patient's, ready for files; returns its id."""
        page = self._page
        page.goto(f"{self._base}/sign-in")
        page.fill("input[name=email]", "dentist@demo.test")
        page.fill("input[name=password]", DEMO_PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(f"{self._base}/patients")
        page.get_by_text(_PATIENT).click()
        page.get_by_text("Upload new report").click()
        page.get_by_text("Save and add images").click()
        page.wait_for_url("**/cases/case_*")
        return page.url.partition("?")[0].rpartition("/")[2]

    def choose(self) -> None:
        """The file, as a person chooses it."""
        self._page.locator("input.upload-files").set_input_files(self._path)

    def wait_for(self, share: int) -> None:
        """Until the page says that so many percent have arrived."""
        while self._page.locator(".upload-rate").count():
            found = re.search(r"(\d+) %", self._page.locator(".upload-rate").inner_text(timeout=1000))
            if found and int(found[1]) >= share:
                return
            self._page.wait_for_timeout(100)

    def say(self, what: str) -> None:
        words = " ".join(self._page.locator(".uploader, [data-island=uploader]").first.inner_text().split())
        sys.stdout.write(f"{time.monotonic():8.1f} s  {what}: {words[170:330]}\n")


def walk(sender: Sender, page: Page, context: BrowserContext, pid: int) -> None:
    """Kill, lost line, reload; until the page says that the file is stored."""
    sender.choose()
    sender.wait_for(20)
    os.kill(pid, signal.SIGKILL)
    page.wait_for_timeout(1500)
    sender.say("the server was killed")
    sender.wait_for(45)
    context.set_offline(True)
    page.wait_for_timeout(6000)
    sender.say("the line is lost")
    context.set_offline(False)
    sender.wait_for(70)
    page.reload()
    page.wait_for_timeout(1000)
    sender.choose()
    page.wait_for_timeout(1500)
    sender.say("the page was loaded anew, the file chosen again")
    expect(page.locator(".upload-row").first).to_contain_text("stored", timeout=300_000)
    sender.say("stored")


def checked(context: BrowserContext, page: Page, url: str) -> dict[str, Any]:
    """The case's one file, once it was examined."""
    while True:
        (file,) = context.request.get(url).json()["items"]
        if file["state"] != "stored":
            found: dict[str, Any] = file
            return found
        page.wait_for_timeout(500)


def fetched(context: BrowserContext, url: str) -> str:
    """SHA-256 of what is served."""
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    digest = hashlib.sha256()
    with httpx.stream("GET", url, cookies=cookies, timeout=60) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            digest.update(piece)
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pid", type=int, help="the web server, which is killed on the way")
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "volume.dcm"
        sha256 = volume(path)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        context = browser.new_context()
        page = context.new_page()
        sender = Sender(page, wanted.base, path)
        case_id = sender.open_draft()
        walk(sender, page, context, wanted.pid)
        file = checked(context, page, f"{wanted.base}/api/v1/cases/{case_id}/files")
        whole = fetched(context, f"{wanted.base}{file['download_url']}") == sha256
        sys.stdout.write(f"{file['state']}, {'every byte as it was sent' if whole else 'NOT THE SAME BYTES'}\n")
        browser.close()
        if not whole or file["state"] != "ready":
            sys.exit(1)


if __name__ == "__main__":
    main()
