"""A double of the routes that the islands call: DICOMweb, annotations, key images, files, tus uploads, events.

It answers with the product's Content-Security-Policy, so that what a strict policy would stop fails here too, and keeps
what it was sent in plain attributes for the tests to look at.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydicom.dataset import Dataset
from starlette.requests import ClientDisconnect

from tests.ui_islands.synthetic import STUDY, Series, frame_of, jpeg, study, thumbnail

STATIC: Final = Path(__file__).parents[2] / "ui" / "static"
CSP: Final = (
    "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "img-src 'self' data: blob:; style-src 'self'; style-src-attr 'unsafe-inline'; form-action 'self'; base-uri 'none'"
)


def problem(status: int, code: str, detail: str) -> JSONResponse:
    """An `application/problem+json` answer (RFC 9457)."""
    return JSONResponse(
        {"code": code, "title": code, "detail": detail, "status": status},
        status_code=status,
        media_type="application/problem+json",
    )


@dataclass
class Upload:
    """One tus upload: metadata, length and the bytes so far."""

    metadata: dict[str, str]
    length: int
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Double:
    """What the double was sent, and the switches a test turns."""

    annotations: dict[str, Any] | None = None
    version: int = 0
    puts: list[dict[str, Any]] = field(default_factory=list)
    key_images: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)
    patched: list[tuple[str, int, int]] = field(default_factory=list)
    checksums: int = 0
    terminated: list[str] = field(default_factory=list)
    settled: int = 0
    signed_out: bool = False
    refuse_names: frozenset[str] = frozenset()
    cut_after: int | None = None
    down_after_cut: bool = False
    down: bool = False
    slow_uploads: float = 0
    storage: tuple[int, str] | None = None
    most_bytes: int = 1 << 30
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    event_requests: list[str | None] = field(default_factory=list)
    fragment: str = "<p>first</p>"
    fragment_moved_to: str = ""
    drop_events: int = 0
    slow_frames: float = 0

    def reset(self) -> None:
        """Forgets everything and turns all switches back."""
        for name, value in vars(Double()).items():
            setattr(self, name, value)

    @property
    def etag(self) -> str:
        """The present version of the annotations."""
        return f'"{self.version}"'

    def emit(self, topic: str) -> None:
        """Puts one event into the feed."""
        self.events.append((len(self.events) + 1, {"topic": topic}))


def _page(body: str, *scripts: str, attributes: str = "") -> HTMLResponse:
    tags = "".join(f'<script type="module" src="/static/build/{name}"></script>' for name in scripts)
    sheets = "".join(
        f'<link rel="stylesheet" href="/static/css/{sheet.name}">' for sheet in sorted((STATIC / "css").glob("*.css"))
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Test</title>'
        f'<link rel="icon" href="data:,">{sheets}'
        f'<link rel="stylesheet" href="/page.css"></head><body {attributes}>{body}{tags}</body></html>'
    )


def build(double: Double) -> FastAPI:
    """The application over a `Double`."""
    app = FastAPI()
    series = study()
    by_uid = {one.uid: one for one in series}

    @app.middleware("http")
    async def policy(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if double.signed_out and request.url.path.startswith(("/api", "/dicomweb")):
            return problem(401, "session_ended", "Your session has ended. Sign in again.")
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = CSP
        if request.url.path.startswith("/static"):
            response.headers["Cache-Control"] = "public, max-age=600"
        return response

    _pages(app, double)
    _dicomweb(app, double, series, by_uid)
    _case(app, double)
    _tus(app, double)
    _feed(app, double)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def _pages(app: FastAPI, double: Double) -> None:
    @app.get("/page.css")
    def page_css() -> Response:
        return Response("html,body{margin:0;height:100%}.full{height:100vh}", media_type="text/css")

    @app.get("/viewer")
    def viewer(readonly: bool = False, patient: bool = False) -> HTMLResponse:
        extra = 'data-audience="patient"' if patient else "data-readonly" if readonly else ""
        return _page(
            f'<div class="full"><div data-island="viewer" data-case-id="case_1" data-study="{STUDY}" data-root="/dicomweb" '
            f'data-annotations="/api/v1/cases/case_1/annotations" {extra}></div></div>',
            "viewer.js",
        )

    @app.get("/reading")
    def reading() -> HTMLResponse:
        return _page(
            f'<div class="reading"><header class="reading-bar"><h1>Case</h1></header><main class="viewer">'
            f'<div class="viewer-island" data-island="viewer" data-case-id="case_1" data-study="{STUDY}"></div></main>'
            f'<aside class="panel panel--report"><textarea aria-label="Impression"></textarea></aside></div>',
            "viewer.js",
            attributes='data-scene="reading" data-density="compact"',
        )

    @app.get("/uploader")
    def uploader() -> HTMLResponse:
        return _page(
            '<main><div data-island="uploader" data-case-id="case_1" data-endpoint="/api/v1/uploads" '
            'data-max-bytes="50000000"></div></main>',
            "uploader.js",
        )

    @app.get("/uploader/beside")
    @app.post("/uploader/beside")
    async def beside(request: Request) -> HTMLResponse:
        """A page with more on it than the uploader, as a case has; what was sent to it is shown."""
        sent = (await request.body()).decode()
        return _page(
            '<main><div class="actions"><form method="post" action="/uploader/elsewhere" data-waits-for-files>'
            "<button>Submit</button><p data-otherwise>Ready.</p><p data-while-uploading hidden>On their way.</p></form></div>"
            f'<section id="files" data-live="files:case_1" data-live-url="/uploader/beside"><p id="sent">{sent}</p>'
            '<form method="post" action="/uploader/beside"><input type="hidden" name="nonce" value="n">'
            '<button name="which" value="scan">Remove scan</button></form>'
            '<div data-island="uploader" data-case-id="case_1"></div></section>'
            "<div data-toast><p>The file was removed.</p></div></main>",
            "uploader.js",
        )

    @app.get("/live")
    def live(since: str = "", shows: str = "") -> HTMLResponse:
        return _page(
            f'<p data-live-status hidden></p><section id="one" data-live="case:1 worklist" data-live-url="/fragment" '
            f'data-live-announce="Worklist updated">{shows or double.fragment}</section>'
            '<section id="two" data-live="other" data-live-url="/fragment"><p>untouched</p></section>',
            "live.js",
            attributes=f'data-events-since="{since}"',
        )

    @app.get("/fragment")
    def fragment() -> Response:
        return RedirectResponse(double.fragment_moved_to) if double.fragment_moved_to else HTMLResponse(double.fragment)

    @app.get("/elsewhere")
    @app.get("/sign-in")
    def elsewhere() -> HTMLResponse:
        return HTMLResponse("<p>another page</p>")


def _dicomweb(app: FastAPI, double: Double, series: list[Series], by_uid: dict[str, Series]) -> None:
    media = "application/dicom+json"

    @app.get("/dicomweb/studies/{study_uid}/series")
    def list_series(study_uid: str) -> Response:
        answer = []
        for number, one in enumerate(series, 1):
            ds = Dataset()
            ds.SeriesInstanceUID, ds.Modality, ds.SeriesDescription = one.uid, one.modality, one.description
            ds.SeriesNumber, ds.NumberOfSeriesRelatedInstances = number, len(one.instances)
            answer.append(ds.to_json_dict())
        return Response(json.dumps(answer), media_type=media)

    base = "/dicomweb/studies/{study_uid}/series/{uid}"

    @app.get(base + "/metadata")
    def metadata(study_uid: str, uid: str) -> Response:
        answer = []
        for ds in by_uid[uid].instances:
            body = ds.to_json_dict(bulk_data_threshold=1, bulk_data_element_handler=lambda _: "bulk")
            body.pop("7FE00010", None)
            answer.append(body)
        return Response(json.dumps(answer), media_type=media)

    @app.get(base + "/thumbnail")
    def small(study_uid: str, uid: str) -> Response:
        return Response(thumbnail(by_uid[uid]), media_type="image/jpeg")

    @app.get(base + "/instances/{instance}/frames/{frame}")
    def frames(study_uid: str, uid: str, instance: str, frame: int) -> Response:
        time.sleep(double.slow_frames)
        ds = next(one for one in by_uid[uid].instances if one.SOPInstanceUID == instance)
        head = f"--edge\r\nContent-Type: application/octet-stream; transfer-syntax={ds.file_meta.TransferSyntaxUID}\r\n\r\n"
        return Response(
            head.encode() + frame_of(ds, frame) + b"\r\n--edge--\r\n",
            media_type='multipart/related; type="application/octet-stream"; boundary=edge',
        )


def _case(app: FastAPI, double: Double) -> None:
    base = "/api/v1/cases/case_1"

    @app.get(base + "/annotations")
    def read() -> Response:
        if double.annotations is None:
            return problem(404, "not_found", "Nothing is saved yet.")
        return JSONResponse(double.annotations, headers={"ETag": double.etag})

    @app.put(base + "/annotations")
    async def write(request: Request) -> Response:
        expected = double.etag if double.annotations is not None else None
        if request.headers.get("If-Match") != expected:
            return problem(412, "changed", "The annotations were changed in the meantime.")
        double.annotations = await request.json()
        double.puts.append(double.annotations)
        double.version += 1
        return JSONResponse({}, headers={"ETag": double.etag})

    @app.get(base + "/key-images")
    def keys() -> dict[str, Any]:
        return {
            "items": [
                {**one, "id": str(at), "png": None, "url": one["png"]} for at, one in enumerate(double.key_images)
            ]
        }

    @app.post(base + "/key-images")
    async def add_key(request: Request) -> Response:
        double.key_images.append(await request.json())
        return JSONResponse({}, status_code=201)

    @app.get(base + "/files")
    def files() -> dict[str, Any]:
        photo = {
            "id": "file_1",
            "name": "frontal.jpg",
            "kind": "photo",
            "size": 9000,
            "url": "/photo.jpg",
            "thumbnail_url": None,
        }
        letter = {
            "id": "file_2",
            "name": "referral.pdf",
            "kind": "document",
            "size": 240_000,
            "url": "/referral.pdf",
            "thumbnail_url": None,
        }
        return {"items": [photo, letter]}

    @app.get("/photo.jpg")
    def photo() -> Response:
        return Response(jpeg(800, 600), media_type="image/jpeg")

    @app.post(base + "/files/settled")
    def settled() -> dict[str, Any]:
        double.settled += 1
        return {}


def _tus(app: FastAPI, double: Double) -> None:
    head = {"Tus-Resumable": "1.0.0"}

    def trouble() -> Response | None:
        if double.storage is None:
            return None
        return problem(*double.storage, "The storage takes nothing now.")

    def finished(uid: str, upload: Upload) -> dict[str, str]:
        """The same content is kept once, and named."""
        alike = (other for other, one in double.uploads.items() if other != uid and one.data == upload.data)
        first = next(alike, None) if len(upload.data) == upload.length else None
        return {"Upload-Duplicate-Of": first} if first else {}

    async def receive(uid: str, upload: Upload, request: Request) -> Response:
        start = len(upload.data)
        if (refused := trouble()) is not None:
            return refused
        await asyncio.sleep(double.slow_uploads)
        if double.down:
            return Response(status_code=503, headers=head)
        digest = hashlib.sha256()
        body = bytearray()
        try:
            async for piece in request.stream():
                digest.update(piece)
                body += piece
                if double.cut_after is not None and start + len(body) >= double.cut_after:
                    # The line breaks in the middle: what arrived is kept, as the tus server keeps it.
                    upload.data += body
                    double.cut_after = None
                    double.down = double.down_after_cut
                    return Response(status_code=503, headers={**head, "Retry-After": "60"})
        except ClientDisconnect:
            upload.data += body
            return Response(status_code=400, headers=head)
        finally:
            double.patched.append((uid, start, len(body)))
        given = request.headers.get("Upload-Checksum")
        if given is not None:
            if given != f"sha256 {base64.b64encode(digest.digest()).decode()}":
                return Response(status_code=460, headers=head)
            double.checksums += 1
        upload.data += body
        there = finished(uid, upload)
        return Response(status_code=204, headers={**head, **there, "Upload-Offset": str(len(upload.data))})

    @app.options("/api/v1/uploads")
    def abilities() -> Response:
        return Response(
            status_code=204,
            headers={
                **head,
                "Tus-Extension": "creation,creation-with-upload,checksum,termination",
                "Tus-Checksum-Algorithm": "sha1,sha256",
                "Tus-Max-Size": str(double.most_bytes),
            },
        )

    @app.post("/api/v1/uploads")
    async def create(request: Request) -> Response:
        pairs = (pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
        metadata = {name: base64.b64decode(value).decode() for name, value in pairs}
        if metadata["filename"] in double.refuse_names:
            return problem(415, "not_an_image", "This kind of file is not accepted. Send DICOM, JPEG, PNG or PDF.")
        if (refused := trouble()) is not None:
            return refused
        uid = secrets.token_urlsafe(8)
        double.uploads[uid] = Upload(metadata, int(request.headers["Upload-Length"]))
        place = {**head, "Location": f"/api/v1/uploads/{uid}"}
        if request.headers.get("Content-Type") != "application/offset+octet-stream":
            return Response(status_code=201, headers=place)
        answer = await receive(uid, double.uploads[uid], request)
        if answer.status_code == 204:
            return Response(status_code=201, headers={**place, **_told(answer)})
        return answer

    @app.head("/api/v1/uploads/{uid}")
    def offset(uid: str) -> Response:
        upload = double.uploads.get(uid)
        if upload is None:
            return Response(status_code=404, headers=head)
        if double.storage is not None and double.storage[0] == 503:
            return Response(status_code=503, headers=head)
        return Response(
            headers={
                **head,
                "Upload-Offset": str(len(upload.data)),
                "Upload-Length": str(upload.length),
                "Cache-Control": "no-store",
            }
        )

    @app.patch("/api/v1/uploads/{uid}")
    async def patch(uid: str, request: Request) -> Response:
        upload = double.uploads[uid]
        if int(request.headers["Upload-Offset"]) != len(upload.data):
            return Response(status_code=409, headers=head)
        return await receive(uid, upload, request)

    @app.delete("/api/v1/uploads/{uid}")
    def terminate(uid: str) -> Response:
        double.terminated.append(uid)
        double.uploads.pop(uid, None)
        return Response(status_code=204, headers=head)


def _told(answer: Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("Upload-Offset", "Upload-Duplicate-Of") if name in answer.headers}


def _feed(app: FastAPI, double: Double) -> None:
    @app.get("/api/v1/events")
    async def events(request: Request) -> StreamingResponse:
        after = request.headers.get("Last-Event-ID")
        double.event_requests.append(after)
        sent = int(after) if after else len(double.events)
        generation = double.drop_events

        async def stream() -> AsyncIterator[str]:
            nonlocal sent
            yield "retry: 200\n\n"
            while generation == double.drop_events and not await request.is_disconnected():
                for number, data in double.events[sent:]:
                    yield f"id: {number}\ndata: {json.dumps(data)}\n\n"
                    sent = number
                await asyncio.sleep(0.03)

        return StreamingResponse(stream(), media_type="text/event-stream")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serves an application on a free loopback port in a thread; yields its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("The server did not start.")
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


@contextmanager
def serving(double: Double) -> Iterator[str]:
    """Serves the double; yields its origin."""
    with served(build(double)) as origin:
        yield origin
