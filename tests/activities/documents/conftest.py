"""One laying-out process for all tests of the package: its start is the slow part."""

from collections.abc import Iterator

import pytest

from activities.documents.process import PdfRenderer


@pytest.fixture(scope="session")
def renderer() -> Iterator[PdfRenderer]:
    with PdfRenderer() as shared:
        yield shared
