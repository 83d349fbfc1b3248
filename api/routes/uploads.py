"""Uploads over tus 1.0.0 at ``/api/v1/uploads``, and the end of a batch of them."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from api.deps import PersonDep, Public, ServicesDep, SessionsDep, policy, require
from api.errors import problem
from api.services import Services
from api.standing import CaseAccess
from api.tus import protocol
from api.tus.intake import Intake, OpenUpload, complete
from api.tus.receiving import in_thread
from api.uploading import Aim, Destination, need_kind, need_size
from infra.blobs.store import BlobFinished
from infra.outbox import enqueue, is_waiting
from infra.uploads import COMPLETE, UploadDesk
from schemas.access import Right
from schemas.errors import NotFound
from schemas.messages import FactKind
from schemas.tables.imaging import Upload

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"])
batches = APIRouter(prefix="/api/v1/cases/{case_id}/files", tags=["uploads"])

_NAME_LENGTH: Final = 255
_PATH_LENGTH: Final = 1000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls, and the marks of direction with which “gpj.exe” is shown as a picture's name (Unicode TR36, 2.6)."""


@policy("upload: to a case or a patient's record")
def named_destination(request: Request, person: PersonDep, services: ServicesDep) -> Destination:
    """What a creation names in its metadata. Decided before a byte of the body is read."""
    protocol.check_version(request.headers)
    aim = Aim.named_in(protocol.metadata(request.headers))
    with services.database.read() as session:
        return aim.reach(session, services.keys, person)


@policy("upload: to a case or a patient's record")
def open_upload(upload_id: str, request: Request, person: PersonDep, services: ServicesDep) -> OpenUpload:
    """An upload for somebody who may add files to what it belongs to: 404 to everybody else."""
    protocol.check_version(request.headers)
    desk = desk_of(services)
    with services.database.read() as session:
        row = session.get(Upload, upload_id)
        if row is None:
            raise NotFound()
        destination = Aim.of(row).reach(session, services.keys, person)
    return OpenUpload(desk.find(upload_id), person, destination, desk)


def desk_of(services: Services) -> UploadDesk:
    return UploadDesk(services.database, services.blobs, services.keys)


DestinationDep = Annotated[Destination, Depends(named_destination)]
UploadDep = Annotated[OpenUpload, Depends(open_upload)]


@router.options("", dependencies=[Public], status_code=204)
@router.options("/{upload_id}", dependencies=[Public], status_code=204)
def describe(services: ServicesDep) -> Response:
    return Response(
        status_code=204,
        headers={
            "Tus-Resumable": protocol.VERSION,
            "Tus-Version": protocol.VERSION,
            "Tus-Extension": protocol.EXTENSIONS,
            "Tus-Max-Size": str(services.settings.upload_max_bytes),
            "Tus-Checksum-Algorithm": ",".join(protocol.ALGORITHMS),
        },
    )


@router.post("", status_code=201)
async def create(
    request: Request,
    person: PersonDep,
    destination: DestinationDep,
    services: ServicesDep,
    sessions: SessionsDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)] = None,
) -> Response:
    """Begins an upload. Metadata: ``case_id`` for a file of a case, or ``patient_id`` for a treatment document of a
    patient's record; ``filename``, ``filetype``, optional ``relative_path``. With a body of type
    ``application/offset+octet-stream`` its first bytes come along. A repeated ``Idempotency-Key`` gives the same upload
    again and takes no bytes that are there already."""
    length = protocol.number(request.headers, "upload-length")
    need_size(destination.home, length, services.settings)
    meta = protocol.metadata(request.headers)
    need_kind(destination.home, meta.get("filename", ""), meta.get("filetype", ""))
    desk = desk_of(services)
    has_body = request.headers.get("content-type", "") == protocol.BODY_TYPE
    kept = {
        "header": request.headers.get("upload-metadata", ""),
        "filename": _printable(meta.get("filename") or "file", _NAME_LENGTH),
        "filetype": _printable(meta.get("filetype", ""), 100),
        "relative_path": _printable(meta.get("relative_path", ""), _PATH_LENGTH),
    }
    row, is_new = await in_thread(desk.begin, destination.home, destination.actor.user_id, length, kept, key)
    upload = OpenUpload(row, person, destination, desk)
    offset = 0 if is_new else await in_thread(desk.offset, row)
    if offset > 0:
        async for _ in request.stream():
            pass  # a browser takes an answer that comes before its last byte for a broken line
    elif has_body or length == 0:
        offset = await Intake(request, services, sessions, upload).take(0)
    headers = protocol.answer_headers(offset=offset if has_body else None, expires=row.expires_at)
    return Response(status_code=201, headers={**headers, "Location": f"/api/v1/uploads/{row.id}"})


@router.head("/{upload_id}", status_code=200)
async def where(request: Request, upload: UploadDep, services: ServicesDep) -> Response:
    """How many bytes are durable, and the metadata as they were sent. 423 while another request writes. Completes an upload whose last byte came before a crash."""
    offset = await in_thread(upload.desk.offset, upload.row)
    if offset == upload.row.length and upload.row.state != COMPLETE:
        await complete(request, upload, services)
    headers = protocol.answer_headers(offset=offset, length=upload.row.length, expires=upload.row.expires_at)
    told = await in_thread(upload.desk.metadata, upload.row)
    return Response(status_code=200, headers={**headers, "Upload-Metadata": told} if told else headers)


@router.patch("/{upload_id}", status_code=204)
async def go_on(request: Request, upload: UploadDep, services: ServicesDep, sessions: SessionsDep) -> Response:
    """Appends at ``Upload-Offset``. 409 with the true offset when it stands elsewhere, 423 while another request writes, 460
    when the checksum does not hold."""
    if request.headers.get("content-type", "") != protocol.BODY_TYPE:
        raise protocol.WrongBodyType()
    offset = protocol.number(request.headers, "upload-offset")
    if upload.row.state == COMPLETE:
        if offset != upload.row.length:
            return _wrong_offset(upload.row.length)
        return Response(status_code=204, headers=protocol.answer_headers(offset=offset))
    try:
        durable = await Intake(request, services, sessions, upload).take(offset)
    except protocol.WrongOffset:
        return _wrong_offset(await in_thread(upload.desk.offset, upload.row))
    expires = (await in_thread(upload.desk.find, upload.row.id)).expires_at
    return Response(status_code=204, headers=protocol.answer_headers(offset=durable, expires=expires))


@router.delete("/{upload_id}", status_code=204)
async def give_up(upload: UploadDep) -> Response:
    """Forgets an unfinished upload; what was sent of it is removed. 409 for one that is complete: remove the file instead."""
    if upload.row.state == COMPLETE:
        raise BlobFinished()
    await in_thread(upload.desk.end, upload.row)
    return Response(status_code=204, headers=protocol.answer_headers())


def _wrong_offset(offset: int) -> Response:
    return problem(protocol.WrongOffset(), headers=protocol.answer_headers(offset=offset))


def _printable(text: str, limit: int) -> str:
    return _UNPRINTABLE.sub(" ", text)[:limit]


@batches.post("/settled", status_code=202)
def settle(access: Annotated[CaseAccess, Depends(require(Right.UPLOAD))], services: ServicesDep) -> dict[str, bool]:
    """Says that a batch of uploads has ended, so that its files are checked. Told once for a burst of them."""
    with services.database.write() as session:
        if not is_waiting(session, FactKind.FILES_SETTLED, access.row.id):
            enqueue(session, FactKind.FILES_SETTLED, access.row.id)
    return {"accepted": True}
