"""The imaging routes with the advanced viewer beside them, under the headers of the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities.imaging.parser.pool import ParserPool
from tests.api.imaging_app import Desk, imaging_desk
from ui.pages import advanced_viewer
from ui.security_headers import SecurityHeaders


@contextmanager
def viewer_desk(folder: Path, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(folder, pool) as desk:
        desk.app.include_router(advanced_viewer.router)
        advanced_viewer.install(desk.app)
        desk.app.add_middleware(SecurityHeaders)
        yield desk
