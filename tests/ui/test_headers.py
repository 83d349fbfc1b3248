"""Response headers and static files as a browser gets them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from ui.security_headers import CONTENT_SECURITY_POLICY, SecurityHeaders
from ui.static_files import StaticFiles, static_files


async def _page(request: Request) -> Response:
    return HTMLResponse("<p>x</p>")


async def _frame(request: Request) -> Response:
    return Response(b"x", headers={"Cache-Control": "private, max-age=60", "Content-Security-Policy": "sandbox"})


async def _stream(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    return StreamingResponse(parts(), media_type="text/event-stream")


@pytest.fixture
def client() -> httpx.AsyncClient:
    routes = [
        Route("/", _page),
        Route("/frame", _frame),
        Route("/stream", _stream),
        Mount("/static", app=static_files()),
    ]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(SecurityHeaders(Starlette(routes=routes), https=True)), base_url="https://t"
    )


def _directives() -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in CONTENT_SECURITY_POLICY.split("; "))}


def test_policy_executes_nothing_inline_and_speaks_to_nobody_else() -> None:
    policy = _directives()
    assert policy["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert policy["script-src-attr"] == ["'none'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["object-src"] == ["'none'"]
    foreign = [value for values in policy.values() for value in values if value.startswith("http") or value == "*"]
    assert foreign == []


async def test_a_page_with_phi_is_never_stored(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_a_routes_own_policy_wins(client: httpx.AsyncClient) -> None:
    answer = await client.get("/frame")
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_stream_passes(client: httpx.AsyncClient) -> None:
    answer = await client.get("/stream")
    assert answer.text == "ab"
    assert answer.headers["cache-control"] == "no-store"


async def test_hashed_addresses_are_immutable_and_plain_ones_are_revalidated(client: httpx.AsyncClient) -> None:
    hashed = await client.get(static_files().url("css/app.css"))
    assert hashed.status_code == 200
    assert "immutable" in hashed.headers["cache-control"]
    assert "--accent" in hashed.text
    assert "@media print" in hashed.text
    plain = await client.get("/static/js/app.js")
    assert plain.headers["cache-control"] == "public, no-cache"
    assert plain.headers["content-type"].startswith("text/javascript")


async def test_modules_import_each_other_inside_the_same_hash(client: httpx.AsyncClient) -> None:
    entry = static_files().url("js/app.js")
    folder = entry.rsplit("/", 1)[0]
    imports = [line.split('"')[1] for line in (await client.get(entry)).text.splitlines() if line.startswith("import ")]
    assert imports
    for name in imports:
        assert (await client.get(f"{folder}/{name.removeprefix('./')}")).status_code == 200


@pytest.mark.parametrize("path", ["../templating.py", "%2e%2e/templating.py", "css/../../views/case.py", "nope.css"])
async def test_nothing_outside_the_folder_is_served(client: httpx.AsyncClient, path: str) -> None:
    for prefix in ("/static", f"/static/{static_files().own}"):
        answer = await client.get(f"{prefix}/{path}")
        assert answer.status_code == 404


def test_a_changed_file_changes_every_address_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("a{}")
    first = StaticFiles.read(tmp_path)
    (tmp_path / "css" / "a.css").write_text("b{}")
    second = StaticFiles.read(tmp_path)
    assert first.url("css/app.css") != second.url("css/app.css")
    assert first.url("build/x.js") == second.url("build/x.js")
