"""``odontoflow api``: one web server process."""

import argparse
from typing import Any

# Open event streams would hold a shutdown for ever; clients reconnect with Last-Event-ID and miss nothing.
DRAIN_SECONDS = 3


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("api", help="run the web server: pages, API, DICOMweb, streams")


def run(args: argparse.Namespace) -> int:
    import uvicorn

    from infra.settings import get_settings

    settings = get_settings()
    uvicorn.run(
        "ui.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_level=settings.log_level.lower(),
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return 0
