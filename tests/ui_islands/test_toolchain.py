"""The islands' own checks, and what must hold of their packages."""

import json
import re

from tests.ui_islands.conftest import ISLANDS, npm


def test_types_and_unit_tests_of_the_islands_pass(packages: None) -> None:
    for script in ("check", "test"):
        done = npm("run", script)
        assert done.returncode == 0, done.stdout + done.stderr


def test_packages_are_pinned_and_name_no_registry() -> None:
    manifest = json.loads((ISLANDS / "package.json").read_text())
    versions = {**manifest["dependencies"], **manifest["devDependencies"]}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    lock = json.loads((ISLANDS / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


def test_no_package_of_the_bundle_is_under_a_licence_that_binds_the_product() -> None:
    lock = json.loads((ISLANDS / "package-lock.json").read_text())
    licences = {name: package.get("license", "") for name, package in lock["packages"].items()}
    assert [name for name, licence in licences.items() if re.search(r"\bA?GPL|SSPL|BUSL", licence)] == []
