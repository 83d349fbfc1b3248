"""The live system of the API's tests, for pages that need a case's workflow."""

from tests.api.conftest import live

__all__ = ["live"]
