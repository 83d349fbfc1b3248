"""Makes a checkout ready to run: system libraries, ``.venv`` with hashed packages, the command, bytecode, front end.

``make run`` and ``make test`` begin with it (``--dev`` adds what the tests need). Standard library only. Each step leaves a
stamp, so that a second start costs milliseconds; a step runs again when what it was made from has changed.
Anything missing that it may not install ends it with one line and exit code 2.
"""

import compileall
import contextlib
import ctypes
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / ".setup"
REQUIREMENTS = ROOT / "requirements"
ISLANDS = ROOT / "ui" / "islands"
BUILT = ROOT / "ui" / "static" / "build"
OHIF = ROOT / "ui" / "ohif"
FETCH_OHIF = ROOT / "scripts" / "advanced_viewer.py"
PACKAGES = ("schemas", "infra", "activities", "workflows", "api", "ui", "worker")

# What PDF rendering loads at run time: library → Debian package. Without the subsetter a render is several times slower.
PDF_LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
FONT_FILE = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
FONT_PACKAGE = "fonts-dejavu-core"
# What the tests start: any of these commands → Debian package. The server's own package would also start a service.
TEST_PROGRAMS = {
    ("chromium", "chromium-browser", "google-chrome"): "chromium",
    ("curl",): "curl",  # the commands of docs/api.md
    ("mariadbd",): "mariadb-server-core",
    ("my_print_defaults",): "mariadb-client-core",  # the installer of the server's first tables calls it
}

# What a test tool loads: library → Debian package. Playwright's driver is a Node of its own.
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1"}


class Missing(Exception):
    """A prerequisite that only the person can provide; the message says how."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Announces a slow step, and says afterwards how long it took."""
    say(f"{what} …")
    begun = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - begun:.1f} s")


def run(command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs quietly; on failure shows what the command said, then stops."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode:
        sys.stderr.write(result.stdout.decode(errors="replace"))
        raise Missing(f"`{shlex.join(command[:4])} …` failed (exit code {result.returncode}); its words are above.")


def digest(*parts: bytes | Path) -> str:
    """SHA-256 over bytes and file contents, each with its length, so that parts cannot run into one another."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part
        total.update(f"{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Every file of the project's own below a folder."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in {"node_modules", "static", "__pycache__"}]
        yield from (Path(place) / name for name in names)


def stamped(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def write_stamp(stamp: Path, value: str) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def find_program(names: tuple[str, ...]) -> str | None:
    """A server is often outside an ordinary user's PATH."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def missing_system_packages(dev: bool) -> list[str]:
    missing = [package for library, package in PDF_LIBRARIES.items() if not loads(library)]
    if Path("/etc/debian_version").exists() and not FONT_FILE.exists():
        missing.append(FONT_PACKAGE)
    if dev:
        missing += [package for library, package in TEST_LIBRARIES.items() if not loads(library)]
        missing += [package for names, package in TEST_PROGRAMS.items() if find_program(names) is None]
    return missing


def system_packages(dev: bool) -> None:
    """Installs through apt where it may; otherwise names what is missing."""
    stamp, wanted = STAMPS / ("system-dev" if dev else "system"), digest(Path(__file__))
    if stamped(stamp, wanted) or stamped(STAMPS / "system-dev", wanted):
        return
    missing = missing_system_packages(dev)
    if missing:
        names = " ".join(missing)
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            where = (
                "sudo apt-get install"
                if shutil.which("apt-get")
                else "the packages that your system calls like Debian's"
            )
            raise Missing(f"System packages are missing; install them and start again: {where} {names}")
        with step(f"system packages ({names})"):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", "update", "-q"], env=env)
            run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env=env)
        still = missing_system_packages(dev)
        if still:
            raise Missing(f"These system packages were installed but cannot be used: {' '.join(still)}")
    write_stamp(stamp, wanted)


def environment() -> None:
    """``.venv``, made anew when it belongs to another Python or another folder."""
    wanted = f"{sys.version_info[0]}.{sys.version_info[1]} {VENV}"
    stamp = STAMPS / "environment"
    python = BIN / "python"
    if stamped(stamp, wanted) and python.exists():
        return
    report = "import sys, pip; print('%d.%d' % sys.version_info[:2], sys.prefix)"
    known = (
        python.exists()
        and subprocess.run([str(python), "-c", report], capture_output=True, text=True, check=False).stdout.strip()
        == wanted
    )
    if not known:
        with step("Python environment (.venv)"):
            # The base interpreter: this may run on the one that is about to be replaced.
            run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)])
    write_stamp(stamp, wanted)


def packages(dev: bool) -> None:
    """The hashed packages, through uv; through pip where uv finds no index of its own configuration."""
    name = "dev" if dev else "embedded"
    wanted = {each: digest(REQUIREMENTS / f"{each}.txt") for each in ("embedded", "dev")}
    stamps = {each: STAMPS / f"packages-{each}" for each in wanted}
    # dev.txt holds embedded.txt at equal versions, so a development environment runs as it is.
    if stamped(stamps[name], wanted[name]) or (stamped(stamps["dev"], wanted["dev"])):
        return
    with step("Python packages (the first time takes a minute)"):
        pip = [
            str(BIN / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
        ]
        file = str(REQUIREMENTS / f"{name}.txt")
        run([*pip, "--requirement", str(REQUIREMENTS / "bootstrap.txt")])
        uv = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(BIN / "python"), "--require-hashes"]
        try:
            run([*uv, "--link-mode=copy", "--compile-bytecode", "--requirement", file])
        except Missing:
            say("uv could not; trying pip, which is slower")
            run([*pip, "--requirement", file])
            run([str(BIN / "python"), "-m", "compileall", "-q", str(site_packages())])
    write_stamp(stamps[name], wanted[name])


def site_packages() -> Path:
    return VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def command() -> None:
    """``.venv/bin/odontoflow`` and the path entry that makes the checkout's own packages importable.

    A launcher instead of an editable install: it needs no build backend, and starts some milliseconds sooner.
    """
    files = {
        site_packages() / "odontoflow.pth": f"{ROOT}\n",
        # -P: the folder in which a person happens to stand must not shadow a package.
        BIN / "odontoflow": f'#!/bin/sh\nexec {shlex.quote(str(BIN / "python"))} -P -m worker "$@"\n',
    }
    for path, content in files.items():
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
    (BIN / "odontoflow").chmod(0o755)


def bytecode() -> None:
    """Compiled ahead, because PYTHONDONTWRITEBYTECODE may be set, and every process would compile again."""
    for package in PACKAGES:
        for path in files_below(ROOT / package):
            if path.suffix == ".py":
                compileall.compile_file(path, quiet=2)


def front_end() -> None:
    """The islands, built by npm of the environment's own Node."""
    lock = ISLANDS / "package-lock.json"
    if not lock.exists():
        return
    sources = [*sorted(files_below(ISLANDS)), ROOT / "ui" / "static" / "js" / "words.js"]
    wanted = digest(*(part for path in sources for part in (str(path.relative_to(ROOT)).encode(), path)))
    if stamped(BUILT / ".stamp", wanted):
        return
    env = {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}"}
    npm = str(BIN / "npm")
    installed = ISLANDS / "node_modules" / ".setup-stamp"
    locked = digest(lock, ISLANDS / "package.json")
    if not stamped(installed, locked):
        with step("front-end packages"):
            run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ISLANDS, env=env)
        write_stamp(installed, locked)
    with step("front-end build"):
        run([npm, "run", "build"], cwd=ISLANDS, env=env)
    write_stamp(BUILT / ".stamp", wanted)


def advanced_viewer() -> None:
    """OHIF's own build, fetched once."""
    wanted = digest(FETCH_OHIF)
    if stamped(OHIF / ".stamp", wanted):
        return
    with step("advanced viewer (50 MB, once)"):
        env = {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}"}
        run([sys.executable, str(FETCH_OHIF), str(BIN / "npm")], env=env)
    write_stamp(OHIF / ".stamp", wanted)


def main() -> int:
    dev = "--dev" in sys.argv[1:]
    steps: list[Callable[[], None]] = [
        environment,
        lambda: system_packages(dev),
        lambda: packages(dev),
        command,
        bytecode,
    ]
    try:
        with Path(__file__).open("rb") as guard:
            # Two commands in one checkout take turns; the lock ends with the process.
            fcntl.flock(guard, fcntl.LOCK_EX)
            for each in [*steps, front_end, advanced_viewer]:
                each()
    except Missing as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: stopped; the next start goes on where this one ended", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
