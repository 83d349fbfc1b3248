"""One running system for all tests of this folder; each opens patients and cases of its own."""

from collections.abc import Iterator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.e2e.system import System, running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, temporal_dev: WorkflowEnvironment) -> Iterator[System]:
    address = temporal_dev.client.service_client.config.target_host
    with running_system(tmp_path_factory.mktemp("system"), address) as running:
        yield running
