"""``odontoflow api``: one web server process."""

import argparse
from typing import Any

# Open event streams would hold a shutdown for ever; clients reconnect with Last-Event-ID and miss nothing.
DRAIN_SECONDS = 3


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("api", help="run the web server: pages, API, DICOMweb, streams")


def run(args: argparse.Namespace) -> int:
    import logging

    from worker.loading import loading

    with loading():
        import uvicorn

        import ui.app  # noqa: F401 - the server asks for it by its name
        from infra.settings import get_settings
        from worker.commands.readiness import need_secrets

    settings = get_settings()
    need_secrets(settings)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Its start and stop lines say what a supervisor says better; its errors stay.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger(__name__).info("serving %s on %s:%d", settings.base_url, settings.host, settings.port)
    uvicorn.run(
        "ui.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        # In embedded mode nothing stands in front, so nobody may speak for another address.
        proxy_headers=settings.mode == "production",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return 0
