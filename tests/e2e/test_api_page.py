"""docs/api.md carries a whole case with curl; these are exactly its commands."""

import os
import re
import subprocess
from datetime import date
from pathlib import Path

from tests.e2e.system import ROOT, System
from worker.demo.studies import PatientIdentity, test_series

PAGE = ROOT / "docs" / "api.md"
SECONDS = 120


def commands() -> str:
    return "\n".join(re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))


def test_the_pages_commands_carry_a_case_from_a_new_patient_to_an_addendum(system: System, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    identity = PatientIdentity("Lindqvist^Maja", date(1968, 4, 17), "F", "DEMO-1001")
    for path in test_series(images, identity)[:6]:
        path.rename(images / f"{path.stem}.dcm")
    for rest in images.rglob("*"):
        if rest.is_file() and rest.suffix != ".dcm":
            rest.unlink()
    script = f"set -eEuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n{commands()}\n"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "BASE": system.url, "IMAGES": str(images)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{system.log('api')[-2000:]}"
    said = done.stdout.splitlines()
    assert "signed" in said
    assert "released" in said
    assert "Both maxillary sinuses are clear." in said
    assert done.stdout.count("%PDF-") == 2
    assert any("request_amendment" not in line and "sign Dr. Elena Novak" in line for line in said)
