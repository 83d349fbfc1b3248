"""One request to the application in this process, without a client between: thousands of them have to be quick."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:8000"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def ask(
    app: ASGIApp,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    fields: Mapping[str, Any] | None = None,
    as_form: bool = False,
) -> Answer:
    """``fields`` go as JSON or as a page's form. Of an answer without an end, such as live events, the head is enough."""
    body = b"" if fields is None else (urlencode(fields, doseq=True) if as_form else json.dumps(fields)).encode()
    kind = "application/x-www-form-urlencoded" if as_form else "application/json"
    sent = {"host": HOST, "content-length": str(len(body)), **({"content-type": kind} if fields is not None else {})}
    sent |= {name.lower(): value for name, value in headers.items()}
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    gone = asyncio.Event()
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    outgoing: list[Message] = []

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outgoing.append(message)
        if message["type"] == "http.response.start" and (b"content-type", b"text/event-stream") in [
            (name, value.partition(b";")[0]) for name, value in message["headers"]
        ]:
            gone.set()

    try:
        await app(scope, receive, send)
    except Exception:
        # The application has answered before it tells its server; without an answer it is the test that is wrong.
        if not outgoing:
            raise
    head, *rest = outgoing
    return Answer(
        status=head["status"],
        headers={name.decode().lower(): value.decode() for name, value in head["headers"]},
        body=b"".join(message.get("body", b"") for message in rest),
    )
