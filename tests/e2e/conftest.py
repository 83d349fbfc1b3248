"""One running system for all tests of this folder; each opens patients and cases of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.e2e.system import System, running_system
from tests.servers.temporal import development_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_of_system(temporal_program: str) -> AsyncIterator[WorkflowEnvironment]:
    """A server of its own: on a shared one, workers of other tests would take the system's tasks."""
    async with development_server(temporal_program) as environment:
        yield environment


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, temporal_of_system: WorkflowEnvironment) -> Iterator[System]:
    address = temporal_of_system.client.service_client.config.target_host
    with running_system(tmp_path_factory.mktemp("system"), address) as running:
        yield running
