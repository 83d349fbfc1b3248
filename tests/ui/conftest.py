"""What the tests of the pages share: a small world without an engine, and the live system of the API's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.api.conftest import live
from tests.ui.site import Site, site

__all__ = ["live", "practice"]


@pytest_asyncio.fixture
async def practice(tmp_path: Path) -> AsyncIterator[Site]:
    """The pages over a small world; the engine is away."""
    async with site(tmp_path) as made:
        yield made
