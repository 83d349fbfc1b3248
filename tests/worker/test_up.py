"""``odontoflow up``: order, restarts, endings, and refusals in one line."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from infra.settings import Settings
from tests.servers.tools import end
from worker.demo.people import PEOPLE
from worker.up.banner import DEMO_ACCOUNTS
from worker.up.embedded import MIGRATIONS
from worker.up.engine import CASE_QUEUE, Engine, free_port
from worker.up.preflight import check_ports, misspelled_settings
from worker.up.refusal import StartRefused
from worker.up.schema import database_revisions, head_revisions
from workflows import policies

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Running, and not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def belongs(pid: int, group: int) -> bool:
    """The process runs, and is of that process group."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z" and int(fields[2]) == group


class Run:
    """One supervisor on stand-ins."""

    def __init__(self, folder: Path, *behaviours: str) -> None:
        self.folder = folder
        self.screen = folder / "screen"
        with self.screen.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker.stub_plan", str(folder), *behaviours],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def lines(self) -> list[str]:
        return self.screen.read_text().splitlines()

    @property
    def events(self) -> list[str]:
        file = self.folder / "events"
        return file.read_text().splitlines() if file.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(event.split()[2]) for event in self.events if event.startswith(f"started {name} ")]

    @property
    def all_pids(self) -> list[int]:
        return [int(event.split()[2]) for event in self.events if event.startswith("started ")]

    def until_ready(self) -> "Run":
        wait_for(lambda: "ready" in self.lines or self.process.poll() is not None)
        assert "ready" in self.lines, self.lines
        return self

    def ends(self, seconds: float = 10.0) -> int:
        return self.process.wait(seconds)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*behaviours: str) -> Run:
        runs.append(Run(tmp_path, *behaviours))
        return runs[-1]

    yield start
    for run in runs:
        end(run.process)


def test_a_start_prepares_first_and_says_ready_last(launch: Callable[..., Run]) -> None:
    run = launch().until_ready()
    names = [event.split()[:2] for event in run.events]
    assert names.index(["finished", "prepare"]) < names.index(["started", "worker"])
    assert names.index(["started", "api"]) < names.index(["started", "seed"])
    assert names.index(["started", "engine"]) < names.index(["started", "worker"])
    assert run.lines[-2:] == ["the banner", "ready"]


def test_lines_carry_their_origin_without_colour_and_are_kept_in_files(launch: Callable[..., Run]) -> None:
    run = launch().until_ready()
    assert "worker | hello from worker" in run.lines
    assert not any("engine |" in line for line in run.lines)
    assert (run.folder / "logs" / "engine.log").read_text() == "hello from engine\n"
    assert "\x1b" not in run.screen.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_in_order_and_leaves_nothing(launch: Callable[..., Run], number: signal.Signals) -> None:
    run = launch().until_ready()
    run.process.send_signal(number)
    assert run.ends() == 0
    assert [event for event in run.events if event.startswith("stopped")] == [
        "stopped api",
        "stopped worker",
        "stopped engine",
    ]
    assert not any(alive(pid) for pid in run.all_pids)
    assert run.lines[-1] == "Stopped."


def test_two_interrupts_leave_nothing_even_of_a_child_that_does_not_listen(launch: Callable[..., Run]) -> None:
    run = launch("worker=stubborn").until_ready()
    begun = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    wait_for(lambda: "refused" in run.events)
    time.sleep(1.1)
    run.process.send_signal(signal.SIGINT)
    assert run.ends() == 0
    assert time.monotonic() - begun < 2.5, "the second signal does not wait for the drain"
    assert not any(alive(pid) for pid in run.all_pids)
    assert run.events[-1] == "stopped engine"


def test_a_signal_during_the_start_stops_what_has_begun(launch: Callable[..., Run]) -> None:
    run = launch("prepare=serve")
    wait_for(lambda: len(run.all_pids) == 2)
    run.process.send_signal(signal.SIGINT)
    assert run.ends() == 0
    assert not any(alive(pid) for pid in run.all_pids)


@pytest.mark.parametrize("name", ["engine", "worker", "api"])
def test_a_killed_child_comes_back(launch: Callable[..., Run], name: str) -> None:
    run = launch().until_ready()
    os.kill(run.pids(name)[0], signal.SIGKILL)
    wait_for(lambda: len(run.pids(name)) == 2)
    assert alive(run.pids(name)[1])
    assert any(line.startswith(f"{name} ended (killed by SIGKILL)") for line in run.lines)


def test_children_die_with_a_killed_supervisor(launch: Callable[..., Run]) -> None:
    run = launch().until_ready()
    services = [pid for name in ("engine", "worker", "api") for pid in run.pids(name)]
    assert all(alive(pid) for pid in services)
    run.process.kill()
    wait_for(lambda: not any(alive(pid) for pid in services))


def test_what_a_child_started_ends_with_it(launch: Callable[..., Run]) -> None:
    run = launch("worker=parent").until_ready()

    def group() -> list[int]:
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [pid for pid in pids if belongs(pid, run.pids("worker")[0])]

    wait_for(lambda: len(group()) == 2)
    run.process.send_signal(signal.SIGINT)
    run.ends()
    assert group() == []


def test_a_failed_preparation_ends_the_start_with_its_words(launch: Callable[..., Run]) -> None:
    run = launch("prepare=fail")
    assert run.ends() == 1
    assert "prepare | no such table" in run.lines
    assert any(line.startswith("prepare does not start (exit code 3); its log is ") for line in run.lines)
    assert run.pids("worker") == []
    assert not any(alive(pid) for pid in run.all_pids)


def test_incomplete_demo_data_does_not_withhold_the_system(launch: Callable[..., Run]) -> None:
    run = launch("seed=fail").until_ready()
    assert any(line.startswith("seed is not complete (exit code 3); its log is ") for line in run.lines)
    run.process.send_signal(signal.SIGTERM)
    assert run.ends() == 0


def test_a_child_that_refuses_its_settings_is_not_started_again(launch: Callable[..., Run]) -> None:
    run = launch("api=misconfigured")
    assert run.ends() == 2
    assert len(run.pids("api")) == 1


def test_a_child_that_never_starts_ends_the_start(launch: Callable[..., Run]) -> None:
    run = launch("engine=fail", "prepare=serve")
    assert run.ends(seconds=20) == 1
    assert "engine | no such table" in run.lines, "its log is not on the screen, so its last words are"
    assert len(run.pids("engine")) == 6


# Refusals


def refused(tmp_path: Path, **environment: object) -> str:
    """Runs ``odontoflow up`` where it must refuse; returns its one line."""
    values = {
        "HOME": tmp_path / "home",
        "PORT": free_port(),
        "TEMPORAL_PORT": free_port(),
        "TEMPORAL_UI_PORT": free_port(),
    }
    own = {f"ODONTOFLOW_{name}": str(value) for name, value in {**values, **environment}.items()}
    result = subprocess.run(
        [sys.executable, "-m", "worker", "up"],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=20,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stdout == ""
    return result.stderr


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 cannot be used" in refused(tmp_path, PORT=port)


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path, PORT="eighty").startswith("odontoflow: ODONTOFLOW_PORT: Input should be a valid integer")


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be used (Not a directory)" in refused(tmp_path, HOME=tmp_path / "file" / "home")


def test_production_is_not_run_by_up(tmp_path: Path) -> None:
    assert "`odontoflow up` is the embedded mode" in refused(tmp_path, MODE="production")


def test_a_second_start_on_one_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    hold = "import sys, time; from pathlib import Path; from worker.up.preflight import lock_home\n"
    hold += "lock_home(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(home)], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        assert f"already runs on {home} (process {holder.pid})" in refused(tmp_path, HOME=home)
    finally:
        end(holder)


def test_two_settings_cannot_name_one_port() -> None:
    port = free_port()
    with pytest.raises(StartRefused, match=f"ODONTOFLOW_PORT and ODONTOFLOW_TEMPORAL_PORT are both {port}"):
        check_ports([("ODONTOFLOW_PORT", "127.0.0.1", port), ("ODONTOFLOW_TEMPORAL_PORT", "127.0.0.1", port)])


def test_a_misspelled_setting_is_named() -> None:
    lines = misspelled_settings(["port", "home"], ["ODONTOFLOW_PROT", "ODONTOFLOW_PORT", "PATH"])
    assert lines == ["ODONTOFLOW_PROT is not a setting and is ignored; docs/settings.md lists them all."]


# The real engine and the real migrations


def engine_settings(home: Path) -> Settings:
    return Settings(home=home, temporal_port=free_port(), temporal_ui_port=free_port(), temporal_retention_days=17)


def test_the_engine_serves_our_namespace_with_our_retention_on_loopback_only(
    tmp_path: Path, temporal_program: str
) -> None:
    for _ in range(2):  # the second start is on the same file
        engine = Engine(engine_settings(tmp_path))
        process = subprocess.Popen(engine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_for(engine.ready)
            assert listening_addresses(process.pid) == {"0100007F"}, "127.0.0.1 as the kernel writes it"
            address = f"127.0.0.1:{engine_settings_port(engine)}"
            said = subprocess.run(
                [temporal_program, "operator", "namespace", "describe", "default", "--address", address],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            assert re.search(r"RetentionTtl\s+408h", said), said
        finally:
            end(process)


def test_the_screen_names_the_accounts_that_the_demo_makes() -> None:
    assert [email for email, _ in DEMO_ACCOUNTS] == [f"{person.account}@demo.test" for person in PEOPLE]


def test_the_worker_is_looked_for_where_it_works() -> None:
    assert CASE_QUEUE == policies.CASE_QUEUE


def engine_settings_port(engine: Engine) -> int:
    return next(int(word.split("=")[1]) for word in engine.command() if word.startswith("--port="))


def listening_addresses(pid: int) -> set[str]:
    """Local addresses (hexadecimal, as in /proc/net/tcp) on which a process listens."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    addresses = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and fields[9] in inodes:
                addresses.add(fields[1].split(":")[0])
    return addresses


def test_the_quick_look_at_the_migrations_agrees_with_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.parent))
    assert head_revisions(MIGRATIONS) == set(ScriptDirectory.from_config(config).get_heads())
    assert head_revisions(MIGRATIONS)


def test_a_new_database_has_no_revision(tmp_path: Path) -> None:
    assert database_revisions(tmp_path / "none.db") == set()


def test_a_program_that_does_not_exist_ends_the_start(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from worker.up.children import Program; from worker.up.supervisor import *\n"
        f"p = Program('api', lambda: ['/nonexistent/program'], Path({str(tmp_path)!r}) / 'log')\n"
        "raise SystemExit(Supervisor(Plan(services=[p], probes=[])).run())"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 1
    assert "api cannot be started: No such file or directory" in result.stdout
