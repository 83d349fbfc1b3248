"""One live system for the API's tests: they share its servers, and each opens cases of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.live import Live, live_system
from tests.servers.temporal import development_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory, temporal_program: str) -> AsyncIterator[Live]:
    # A server of its own: on a shared one, workers of other tests would take its tasks.
    async with (
        development_server(temporal_program) as temporal,
        live_system(tmp_path_factory.mktemp("live"), temporal) as system,
    ):
        yield system
