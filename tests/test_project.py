"""What holds for the repository as a whole: nothing of one machine, no registry's address, imports one way."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A folder of somebody's home or of a work place, as it looks inside a file. The container's own paths are not among them.
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:home/[a-z]|Users/[A-Z]|root/|work/|tmp/[a-z]{3,})")
# A registry's address, wherever it may be written.
REGISTRY = re.compile(rb"\b(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com)\b")
BINARY = {".png", ".jpg", ".jpeg", ".dcm", ".gz", ".ico", ".woff2", ".pdf", ".mo", ".zip"}


def tracked_files() -> list[Path]:
    """Files under version control; in an export without it, every file that is not a build result."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    paths = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def offences(pattern: re.Pattern[bytes], files: list[Path]) -> list[str]:
    found = []
    for path in files:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100].decode(errors='replace')}")
    return found


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert offences(MACHINE_PATH, [path for path in tracked_files() if path != Path(__file__)]) == []


def test_no_file_names_a_registry() -> None:
    assert offences(REGISTRY, [path for path in tracked_files() if path != Path(__file__)]) == []


@pytest.mark.parametrize("name", ["package-lock.json", "uv.lock", "poetry.lock"])
def test_lockfiles_name_no_download_address(name: str) -> None:
    locks = [path for path in tracked_files() if path.name == name]
    assert offences(re.compile(rb'"resolved"|url = "http'), locks) == []


def test_requirements_are_hashed_and_name_no_address() -> None:
    files = sorted((ROOT / "requirements").glob("*.txt"))
    assert [path.stem for path in files] == ["bootstrap", "dev", "embedded", "runtime"]
    for path in files:
        text = path.read_text()
        assert "://" not in text
        blocks = re.split(r"\n(?=\S)", text)
        unhashed = [
            block.splitlines()[0] for block in blocks if not block.startswith("#") and "--hash=sha256:" not in block
        ]
        assert unhashed == [], path


def pins(name: str) -> set[str]:
    """``package==version`` of one requirements file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([A-Za-z0-9_.-]+==[^ ]+)", text, re.MULTILINE))


def test_each_requirements_file_holds_the_smaller_one() -> None:
    assert pins("runtime") < pins("embedded") < pins("dev")
    assert pins("bootstrap") <= pins("dev")


def test_every_declared_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = {pin.partition("==")[0].lower() for pin in pins("dev")}
    assert {re.split(r"[\[<>=!~; ]", name)[0].lower() for name in declared} <= pinned


def test_imports_go_one_way() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_command_line_does_not_import_what_it_does_not_need() -> None:
    """A start waits for the supervisor, and every command for the parser."""
    heavy = ["temporalio", "sqlalchemy", "fastapi", "pydicom", "weasyprint", "boto3", "stripe", "numpy", "alembic"]
    script = "import sys; import worker.cli, worker.up.embedded; worker.cli.build_parser(list(worker.cli.COMMANDS))"
    script += f"; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_test_folder_is_a_package() -> None:
    """Without ``__init__.py``, ``tests/workflows`` would shadow ``workflows``."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
