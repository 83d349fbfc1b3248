"""Two ways to the API: one live system that tests share, each with cases of its own, and a desk without an engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.imaging.parser.pool import ParserPool
from tests.api.imaging_app import Desk, imaging_desk
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


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(tmp_path, pool) as desk:
        yield desk
