"""A bucket of an S3 storage: the few calls that the store needs, their checksums, and its errors as facts.

Every upload carries the SHA-256 of its bytes, which the storage compares with what it received before it keeps them.
"""

import contextlib
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from boto3.exceptions import Boto3Error
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from infra.blobs.store import BlobFinished, BlobMissing, StorageFailed, StorageFull
from infra.settings import Settings

_MISSING: Final = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
_THERE_ALREADY: Final = frozenset({"PreconditionFailed", "412"})
_FULL: Final = frozenset(
    {"InsufficientStorage", "InsufficientCapacity", "QuotaExceeded", "QuotaExceededException", "XMinioStorageFull"}
    | {"XMinioAdminBucketQuotaExceeded", "507"}
)
_BEYOND: Final = frozenset({"InvalidRange", "416"})
_NOT_KNOWN: Final = frozenset({"NotImplemented", "501"})
_CONNECT_SECONDS: Final = 2
_ANSWER_SECONDS: Final = 10
_COMPLETION_SECONDS: Final = 60
"""The storage puts a file of many parts together before it answers."""
_TRIES: Final = 2


class Part(NamedTuple):
    """What the storage knows a part by, and the SHA-256 that it was sent with (base64)."""

    etag: str
    sha256: str


class Piece(NamedTuple):
    """A range of an object, the object's size in all, and what it is known by."""

    data: bytes
    total: int
    etag: str


class Unfinished(NamedTuple):
    name: str
    upload_id: str
    since: datetime


@lru_cache(maxsize=1)
def session() -> Any:
    """One a process: it reads what boto3 has of the storage's interface, which takes longer than a request."""
    return Session()


def _checksum(data: bytes | bytearray) -> str:
    return b64encode(sha256(data).digest()).decode()


class Bucket:
    """Names are those within the prefix. Connects with the first call, so that no process waits for what it does not
    use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._prefix = settings.s3_prefix
        self._lock = threading.Lock()
        self._clients: dict[int, Any] = {}

    def _client(self, answer_seconds: int = _ANSWER_SECONDS) -> Any:
        with self._lock:
            if answer_seconds not in self._clients:
                self._clients[answer_seconds] = self._connect(answer_seconds)
            return self._clients[answer_seconds]

    def _connect(self, answer_seconds: int) -> Any:
        settings = self._settings
        secret = settings.s3_secret_access_key
        return session().client(
            "s3",
            endpoint_url=settings.s3_endpoint or None,
            region_name=settings.s3_region,
            # Without keys boto3 looks where it always does: the environment, a profile, the machine's role.
            aws_access_key_id=settings.s3_access_key_id or None,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=answer_seconds,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
                max_pool_connections=32,
                s3={"addressing_style": settings.s3_addressing},
                # Checksums are our own: other storages than Amazon's do not know all that boto3 would add.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._settings.s3_bucket, "Key": self._prefix + name}

    def probe(self) -> None:
        """Raises StorageFailed unless the bucket is there and these keys may use it."""
        try:
            with _facts():
                self._client().head_bucket(Bucket=self._settings.s3_bucket)
        except BlobMissing as fact:
            raise StorageFailed from fact

    def exists(self, name: str) -> bool:
        try:
            with _facts():
                self._client().head_object(**self._at(name))
        except BlobMissing:
            return False
        return True

    def put(self, name: str, data: bytes, *, once: bool = False) -> None:
        """One object, whole. ``once``: raises BlobFinished when it is there already."""
        self._once(self._client().put_object, once, Body=data, ChecksumSHA256=_checksum(data), **self._at(name))

    def _once(self, call: Any, once: bool, **arguments: Any) -> None:
        with _facts():
            if not once:
                call(**arguments)
                return
            try:
                call(IfNoneMatch="*", **arguments)
            except ClientError as error:
                # A storage that has no conditional writes: then the writer's lease alone keeps others away.
                if _code(error) not in _NOT_KNOWN:
                    raise
                call(**arguments)

    def get(self, name: str) -> bytes:
        """Raises BlobMissing."""
        with _facts():
            data: bytes = self._client().get_object(**self._at(name))["Body"].read()
        return data

    def piece(self, name: str, first: int, length: int, *, etag: str | None = None) -> Piece:
        """Bytes from ``first`` on, fewer where the object ends. With ``etag``: of that very object, or BlobMissing."""
        same = {"IfMatch": etag} if etag else {}
        with _facts():
            try:
                answer = self._client().get_object(
                    Range=f"bytes={first}-{first + length - 1}", **same, **self._at(name)
                )
                data = answer["Body"].read()
            except ClientError as error:
                if _code(error) in _BEYOND:
                    return Piece(b"", 0, "")
                if _code(error) in _THERE_ALREADY:
                    raise BlobMissing from error
                raise
        total = answer.get("ContentRange", "").rpartition("/")[2]
        return Piece(data, int(total) if total.isdecimal() else len(data), answer["ETag"])

    def names(self, start: str) -> list[str]:
        """Of the objects whose names begin so."""
        wanted = {"Bucket": self._settings.s3_bucket, "Prefix": self._prefix + start}
        with _facts():
            pages = self._client().get_paginator("list_objects_v2").paginate(**wanted)
            return [each["Key"].removeprefix(self._prefix) for page in pages for each in page.get("Contents", ())]

    def delete(self, name: str) -> None:
        """Also when it is not there."""
        with _facts():
            self._client().delete_object(**self._at(name))

    def begin(self, name: str) -> str:
        """The id of a new multipart upload."""
        with _facts():
            answer = self._client().create_multipart_upload(ChecksumAlgorithm="SHA256", **self._at(name))
        upload_id: str = answer["UploadId"]
        return upload_id

    def send(self, name: str, upload_id: str, number: int, data: bytes | bytearray) -> Part:
        """A part of at least 5 MiB, save the last one; stored, and found whole by its checksum, on return."""
        checksum = _checksum(data)
        with _facts():
            answer = self._client().upload_part(
                UploadId=upload_id, PartNumber=number, Body=bytes(data), ChecksumSHA256=checksum, **self._at(name)
            )
        if answer.get("ChecksumSHA256", checksum) != checksum:
            raise StorageFailed
        return Part(answer["ETag"], checksum)

    def parts(self, name: str, upload_id: str) -> dict[int, str]:
        """The ETags of the parts that are there: none when the upload was given up."""
        try:
            with _facts():
                pages = self._client().get_paginator("list_parts").paginate(UploadId=upload_id, **self._at(name))
                return {each["PartNumber"]: each["ETag"] for page in pages for each in page.get("Parts", ())}
        except BlobMissing:
            return {}

    def complete(self, name: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Makes the object of these very parts. Raises BlobMissing when the upload was given up."""
        listed = [
            {"PartNumber": number, "ETag": part.etag, "ChecksumSHA256": part.sha256}
            for number, part in enumerate(parts, 1)
        ]
        call = self._client(_COMPLETION_SECONDS).complete_multipart_upload
        self._once(call, True, UploadId=upload_id, MultipartUpload={"Parts": listed}, **self._at(name))

    def give_up(self, name: str, upload_id: str) -> None:
        """Also when it is not there any more."""
        with contextlib.suppress(BlobMissing), _facts():
            self._client().abort_multipart_upload(UploadId=upload_id, **self._at(name))

    def unfinished(self, start: str = "") -> Iterator[Unfinished]:
        """Multipart uploads of objects whose names begin so. Some storages find them by whole names only."""
        wanted = {"Bucket": self._settings.s3_bucket, "Prefix": self._prefix + start}
        with _facts():
            for page in self._client().get_paginator("list_multipart_uploads").paginate(**wanted):
                for each in page.get("Uploads", ()):
                    yield Unfinished(each["Key"].removeprefix(self._prefix), each["UploadId"], each["Initiated"])


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def _facts() -> Iterator[None]:
    """The storage's errors as facts. What it says in words stays out of them."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _MISSING:
            raise BlobMissing from error
        if code in _THERE_ALREADY:
            raise BlobFinished from error
        fact = StorageFull if code in _FULL else StorageFailed
        raise fact(storage_code=code) from error
    except (BotoCoreError, Boto3Error, HTTPClientError, HTTPError, OSError) as error:
        raise StorageFailed(storage_error=type(error).__name__) from error
