"""One live system for the API's tests: they share its servers, and each opens cases of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.api.live import Live, live_system


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory, temporal_dev: WorkflowEnvironment) -> AsyncIterator[Live]:
    async with live_system(tmp_path_factory.mktemp("live"), temporal_dev) as system:
        yield system
