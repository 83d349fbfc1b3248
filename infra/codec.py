"""The payload codec: what Temporal stores of a workflow is encrypted under the key of the workflow's case.

Each payload becomes one of encoding ``binary/odontoflow``: format byte, random 12-byte nonce, AES-256-GCM of the whole
original payload. Key id and workflow id stand in the clear metadata and are bound as associated data, so that a payload
that was changed, or moved to another workflow, is refused. A payload that cannot be read becomes a marked JSON value
(``schemas.undecodable``) in place of an error: an error would stop the case for ever.
"""

import asyncio
import copy
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from infra.keys import CACHE_SECONDS, NONCE_BYTES, KeyDestroyed, KeyUnknown, Recent, bind, derive_key
from schemas.ids import case_id_of_workflow
from schemas.undecodable import Undecodable, Undecoded

ENCODING: Final = b"binary/odontoflow"
SYSTEM_KEY: Final = "system"
"""Name of the key of all workflows that belong to no case."""

_KEY_FIELD: Final = "odontoflow-key"
_WORKFLOW_FIELD: Final = "odontoflow-workflow"
_FORMAT: Final = b"\x01"
_TAG_BYTES: Final = 16
# A schedule's payloads are encoded before its workflows have their ids: Temporal puts the time behind the id's stem.
_SCHEDULE_TIME: Final = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_log = logging.getLogger(__name__)


class PayloadKeys(Protocol):
    """Where the codec's keys come from. The methods may block; they are called in a thread, on a cache miss alone."""

    def key_for_case(self, case_id: str) -> tuple[str, bytes]:
        """Id and 32 bytes of the case's key. Raises KeyDestroyed or KeyUnknown."""
        ...

    def key(self, key_id: str) -> bytes:
        """32 bytes of the key of that id or name. Raises KeyDestroyed or KeyUnknown."""
        ...


class _Cipher(NamedTuple):
    key_id: str
    aead: AESGCM


class _Ciphers:
    """Ciphers by case and by key id. Shared by all contexts of a codec, so that most payloads cost no look-up."""

    def __init__(self, keys: PayloadKeys, seconds: float, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._recent: Recent[_Cipher] = Recent(seconds, clock)

    async def of_workflow(self, workflow_id: str) -> _Cipher:
        case_id = case_id_of_workflow(workflow_id)
        if case_id is None:
            return await self.of_key(SYSTEM_KEY)
        return await self._get(f"case {case_id}", lambda: self._keys.key_for_case(case_id))

    async def of_key(self, key_id: str) -> _Cipher:
        return await self._get(f"key {key_id}", lambda: (key_id, self._keys.key(key_id)))

    async def _get(self, name: str, look_up: Callable[[], tuple[str, bytes]]) -> _Cipher:
        cipher, ticket = self._recent.ask(name)
        if cipher is None:
            key_id, secret = await asyncio.to_thread(look_up)
            cipher = _Cipher(key_id, AESGCM(derive_key(secret, "payload")))
            self._recent.keep(name, cipher, ticket)
            self._recent.keep(f"key {key_id}", cipher, ticket)
        return cipher

    def forget(self, key_id: str) -> None:
        self._recent.forget(lambda _, cipher: cipher.key_id == key_id)


class CaseCodec(PayloadCodec, WithSerializationContext):
    """Encrypts payloads for the workflow of the serialization context, and opens only that workflow's.

    Without a context (an operator's decode endpoint) the workflow id of the clear metadata is taken, which the
    encryption vouches for; the caller decides with ``workflow_of`` whether the person may see that workflow.

    ``accept_plain`` lets payloads pass that were never encrypted: for servers of tests only.
    """

    def __init__(
        self,
        keys: PayloadKeys,
        *,
        accept_plain: bool = False,
        cache_seconds: float = CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ciphers = _Ciphers(keys, cache_seconds, clock)
        self._accept_plain = accept_plain
        self._workflow_id: str | None = None

    def with_context(self, context: SerializationContext) -> Self:
        if not isinstance(context, (WorkflowSerializationContext, ActivitySerializationContext)):
            return self
        return self.for_workflow(context.workflow_id or "")

    def for_workflow(self, workflow_id: str) -> Self:
        """This codec, bound to one workflow and sharing the keys that are already known."""
        bound = type(self).__new__(type(self))
        bound._ciphers = self._ciphers
        bound._accept_plain = self._accept_plain
        bound._workflow_id = workflow_id
        return bound

    def forget(self, key_id: str) -> None:
        """Drop a key at once, in the process that destroyed it. Others drop it within ``cache_seconds``."""
        self._ciphers.forget(key_id)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises KeyDestroyed or KeyUnknown: nothing leaves in the clear because its key is missing."""
        workflow_id = self._workflow_id or ""
        cipher = await self._ciphers.of_workflow(workflow_id)
        bound_to = _bound_to(workflow_id)
        return [_seal(cipher, bound_to, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As many payloads as given. Raises only when keys cannot be looked up for now (the database is away)."""
        return [await self._decode_one(payload) for payload in payloads]

    async def _decode_one(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload if self._accept_plain else self._marked("", Undecoded.NOT_ENCRYPTED)
        key_id = payload.metadata.get(_KEY_FIELD, b"").decode("ascii", "replace")
        bound_to = payload.metadata.get(_WORKFLOW_FIELD, b"").decode("utf-8", "replace")
        if self._workflow_id is not None and bound_to != _bound_to(self._workflow_id):
            return self._marked(key_id, Undecoded.OF_ANOTHER_WORKFLOW)
        try:
            cipher = await self._ciphers.of_key(key_id)
        except KeyDestroyed:
            return self._marked(key_id, Undecoded.KEY_DESTROYED)
        except KeyUnknown:
            return self._marked(key_id, Undecoded.KEY_UNKNOWN)
        try:
            return _open(cipher, bound_to, payload.data)
        except (InvalidTag, ValueError, DecodeError):
            return self._marked(key_id, Undecoded.TAMPERED)

    def _marked(self, key_id: str, reason: Undecoded) -> Payload:
        _log.warning("payload cannot be decoded: %s", reason, extra={"workflow_id": self._workflow_id})
        value = Undecodable(key_id=key_id, reason=reason)
        return Payload(metadata={"encoding": b"json/plain"}, data=value.model_dump_json().encode())


def workflow_of(payload: Payload) -> str | None:
    """The workflow id that an encrypted payload claims to be of (a schedule's: its stem); decoding verifies it."""
    if payload.metadata.get("encoding") != ENCODING:
        return None
    return payload.metadata.get(_WORKFLOW_FIELD, b"").decode("utf-8", "replace")


class CaseDataConverter(DataConverter):
    """Binds a context by a plain copy. The SDK's own way makes every payload's converters anew, which took a tenth of a
    busy worker's time; of ours, the codec alone heeds a context.
    """

    def with_context(self, context: SerializationContext) -> Self:
        if not isinstance(self.payload_codec, CaseCodec):
            return super().with_context(context)
        bound = copy.copy(self)
        object.__setattr__(bound, "payload_codec", self.payload_codec.with_context(context))
        return bound


def data_converter(
    keys: PayloadKeys, *, accept_plain: bool = False, cache_seconds: float = CACHE_SECONDS
) -> DataConverter:
    """The converter of every client, worker and replayer: pydantic models, encrypted, failures' texts included."""
    return CaseDataConverter(
        payload_converter_class=pydantic_data_converter.payload_converter_class,
        payload_codec=CaseCodec(keys, accept_plain=accept_plain, cache_seconds=cache_seconds),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _bound_to(workflow_id: str) -> str:
    """What a workflow's payloads are bound to: its id. For a schedule's runs, which share their payloads, its stem."""
    return workflow_id if case_id_of_workflow(workflow_id) else _SCHEDULE_TIME.sub("", workflow_id)


def _associated(key_id: str, bound_to: str) -> bytes:
    return bind("odontoflow payload 1", key_id, bound_to)


def _seal(cipher: _Cipher, bound_to: str, payload: Payload) -> Payload:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = cipher.aead.encrypt(nonce, payload.SerializeToString(), _associated(cipher.key_id, bound_to))
    return Payload(
        metadata={
            "encoding": ENCODING,
            _KEY_FIELD: cipher.key_id.encode(),
            _WORKFLOW_FIELD: bound_to.encode(),
        },
        data=_FORMAT + nonce + sealed,
    )


def _open(cipher: _Cipher, bound_to: str, data: bytes) -> Payload:
    if data[:1] != _FORMAT or len(data) < 1 + NONCE_BYTES + _TAG_BYTES:
        raise ValueError("not of this format")
    clear = cipher.aead.decrypt(
        data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :], _associated(cipher.key_id, bound_to)
    )
    return Payload.FromString(clear)
