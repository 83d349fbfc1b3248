"""A practice on the time-skipping server for each module, and development servers that no other worker listens to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.servers.temporal import KEYS
from tests.workflows.engine import Clock, Practice, running
from tests.world import sqlite_world
from worker.up.temporal import SEARCH_ATTRIBUTES, tuning_arguments


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def skipping(
    tmp_path_factory: pytest.TempPathFactory, temporal_time_skipping: WorkflowEnvironment
) -> AsyncIterator[Practice]:
    """Its time passes only when a test advances its clock."""
    with pytest.MonkeyPatch.context() as patch, sqlite_world(tmp_path_factory.mktemp("skipping")) as world:
        clock = Clock(temporal_time_skipping, patch)
        await clock.synchronize()
        async with running(temporal_time_skipping.client, world, clock=clock) as practice:
            yield practice


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def engine(temporal_program: str) -> AsyncIterator[WorkflowEnvironment]:
    """A development server of these tests alone: other tests' workers poll the same queues of the session's."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_existing_path=temporal_program,
        dev_server_extra_args=tuning_arguments(),
        dev_server_log_level="error",
    ) as environment:
        yield environment


@pytest_asyncio.fixture(loop_scope="session")
async def practice(tmp_path: Path, engine: WorkflowEnvironment) -> AsyncIterator[Practice]:
    """A practice of its own for each test, in real time."""
    with sqlite_world(tmp_path) as world:
        async with running(engine.client, world) as practice:
            yield practice
