"""The container files: their syntax, and the rules that docs/deployment.md promises."""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import Settings
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


def test_no_service_has_a_secret_in_its_environment(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search(r"PASSWORD|PWD|SECRET|KEY|DATABASE_URL|SMTP_URL", variable)
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {variable}"


def test_every_secret_and_volume_is_declared_and_every_dependency_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service.get("networks", [])) <= set(compose["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in compose["volumes"]
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]


def test_the_documented_secrets_are_those_of_the_file(compose: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    assert [name for name in compose["secrets"] if name not in page] == []


def test_settings_in_the_file_exist(compose: dict[str, Any]) -> None:
    known = {f"ODONTOFLOW_{name.upper()}" for name in Settings.model_fields}
    used = {
        name.removesuffix("_FILE") if name.endswith("_URL_FILE") else name
        for name in compose["x-odontoflow"]["environment"]
    }
    assert used <= known


def test_our_containers_run_without_privileges(compose: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    for name in ("api", "worker", "migrate"):
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
