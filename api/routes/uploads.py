"""Uploads over tus 1.0.0 at ``/api/v1/uploads``, and the end of a batch of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from api.deps import LookAgainDep, PersonDep, Public, ServicesDep, policy, require
from api.errors import problem
from api.services import Services
from api.standing import CaseAccess
from api.tus import protocol
from api.tus.concatenation import FinalUpload, concatenation
from api.tus.creation import Creation, answer
from api.tus.intake import Intake, OpenUpload, complete, in_turn, need_room, need_storage
from api.tus.receiving import in_thread
from api.uploading import Aim, Destination, need_size
from infra.blobs.store import BlobFinished
from infra.outbox import enqueue_once
from infra.uploads import COMPLETE, FINAL, UploadDesk
from schemas.access import Right
from schemas.decisions import files_fact
from schemas.errors import NotFound
from schemas.tables.imaging import Upload

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"])
batches = APIRouter(prefix="/api/v1/cases/{case_id}/files", tags=["uploads"])


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
    look_again: LookAgainDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)] = None,
) -> Response:
    """Begins an upload. Metadata: ``case_id`` for a file of a case, or ``patient_id`` for a treatment document of a
    patient's record; ``filename``, ``filetype``, optional ``relative_path``, and ``batch``: a name of the client's own for
    files that belong together; without it, those of one folder do. With a body of type
    ``application/offset+octet-stream`` its first bytes come along. A repeated ``Idempotency-Key`` gives the same upload
    again and takes no bytes that are there already; one that comes with a part is not looked at, because clients send the
    same with every part. Parts name the case or the patient, too. 507 where the storage has no room for it."""
    concat = concatenation(request.headers)
    creation = Creation(request, person, destination, services, desk_of(services))
    if concat.kind == FINAL:
        upload = await creation.join(concat.parts, key)
        return _created(upload, None)
    length = protocol.length(request.headers)
    upload, is_new = await creation.begin(length, concat, key=None if concat.kind else key)
    has_body = request.headers.get("content-type", "") == protocol.BODY_TYPE
    offset = 0 if is_new else await in_turn(upload, upload.desk.offset)
    if offset > 0:
        async for _ in request.stream():
            pass  # a browser takes an answer that comes before its last byte for a broken line
    elif has_body or length == 0:
        offset = await Intake(request, services, look_again, upload).take(0)
    return _created(upload, offset if has_body else None)


def _created(upload: OpenUpload, offset: int | None) -> Response:
    headers = answer(upload, offset=offset)
    return Response(status_code=201, headers={**headers, "Location": f"/api/v1/uploads/{upload.row.id}"})


@router.head("/{upload_id}", status_code=200)
async def where(request: Request, upload: UploadDep, services: ServicesDep) -> Response:
    """How many bytes are durable, and the metadata as they were sent. 423 while another request writes, unless that is an
    older one of the same person over a line that fell silent. Completes an upload whose last byte came before a crash."""
    row, desk = upload.row, upload.desk
    await need_storage(services)
    offset: int | None = await in_turn(upload, desk.offset)
    if offset == row.length and row.state != COMPLETE:
        await complete(request, upload, services)
    elif row.concat == FINAL and row.state != COMPLETE:
        offset = None  # told once the parts are joined
    headers = answer(upload, offset=offset)
    if row.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(row.length)
    return Response(status_code=200, headers={**headers, **await in_thread(desk.headers, row)})


@router.patch("/{upload_id}", status_code=204)
async def go_on(request: Request, upload: UploadDep, services: ServicesDep, look_again: LookAgainDep) -> Response:
    """Appends at ``Upload-Offset``; ``Upload-Length`` says the length of an upload that began without one. 409 with the true
    offset when it stands elsewhere, 423 while another request writes, 460 when the checksum does not hold."""
    row, desk = upload.row, upload.desk
    if request.headers.get("content-type", "") != protocol.BODY_TYPE:
        raise protocol.WrongBodyType()
    if row.concat == FINAL:
        raise FinalUpload()
    offset = protocol.number(request.headers, "upload-offset")
    if row.state == COMPLETE:
        if offset != row.length:
            return _wrong_offset(row.length or 0)
        return Response(status_code=204, headers=answer(upload, offset=offset))
    told = protocol.number(request.headers, "upload-length") if "upload-length" in request.headers else None
    need_size(upload.destination.home, told or 0, services.settings)
    await need_room(services, max(0, (told or row.length or 0) - offset))
    try:
        durable = await Intake(request, services, look_again, upload).take(offset, told_length=told)
    except protocol.WrongOffset:
        return _wrong_offset(await in_turn(upload, desk.offset))
    row.expires_at = (await in_thread(desk.find, row.id)).expires_at
    return Response(status_code=204, headers=answer(upload, offset=durable))


@router.delete("/{upload_id}", status_code=204)
async def give_up(upload: UploadDep) -> Response:
    """Forgets an unfinished upload; what was sent of it is removed. 409 for one that is complete: remove the file instead."""
    if upload.row.state == COMPLETE:
        raise BlobFinished()
    await in_thread(upload.desk.end, upload.row)
    return Response(status_code=204, headers=protocol.answer_headers())


def _wrong_offset(offset: int) -> Response:
    return problem(protocol.WrongOffset(), headers=protocol.answer_headers(offset=offset))


@batches.post("/settled", status_code=202)
def settle(access: Annotated[CaseAccess, Depends(require(Right.UPLOAD))], services: ServicesDep) -> dict[str, bool]:
    """Says that a batch of uploads has ended, so that its files are checked. Told once for a burst of them."""
    with services.database.write() as session:
        enqueue_once(session, files_fact(access.state), access.row.id)
    return {"accepted": True}
