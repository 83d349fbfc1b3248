"""Sealed columns: text and JSON encrypted under a case's, patient's or practice's key, and a blind index for search.

Format 1 of a sealed value: byte 1 · length of the key id (one byte) · key id (ASCII) · 12-byte random nonce · AES-256-GCM
ciphertext with its 16-byte tag. The associated data binds the format, the key id and the place (table, row, column), so
that a value that was moved to another row or column does not open.
"""

import hmac
import json
import secrets
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue

from infra.keys import NONCE_BYTES, DataKey, KeySource, bind, derive_key
from schemas.errors import OdontoError
from schemas.translation import N_

_FORMAT: Final = 1
_TAG_BYTES: Final = 16
_INDEX_BYTES: Final = 16


class SealedValueRefused(OdontoError):
    code = "sealed_value_refused"
    status = 500
    title = N_("Stored content was damaged or moved. It is not shown; please tell the administrator.")


def column_aad(table: str, row_id: str, column: str) -> str:
    """The place that a sealed column is bound to, as ``aad`` of ``seal`` and ``open_sealed``."""
    return json.dumps([table, row_id, column], separators=(",", ":"))


def seal(key: DataKey, plaintext: bytes, aad: str) -> bytes:
    """``plaintext`` encrypted for one place; up to 2³² values a key (random nonces, NIST SP 800-38D §8.3)."""
    key_id = key.id.encode("ascii")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = _cipher(key.secret).encrypt(nonce, plaintext, _associated(key.id, aad))
    return bytes((_FORMAT, len(key_id))) + key_id + nonce + sealed


def open_sealed(keys: KeySource, sealed: bytes, aad: str) -> bytes:
    """The plaintext. ``keys`` may be a DataKey.

    Raises SealedValueRefused (damaged, moved, or not of this format), KeyDestroyed, KeyUnknown.
    """
    key_id = key_id_of(sealed)
    body = sealed[2 + len(key_id) :]
    try:
        return _cipher(keys.key(key_id)).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _associated(key_id, aad))
    except (InvalidTag, ValueError):
        raise SealedValueRefused(key_id=key_id) from None


def key_id_of(sealed: bytes) -> str:
    """Id of the key that a sealed value needs. Raises SealedValueRefused."""
    length = sealed[1] if len(sealed) > 1 else 0
    key_id = sealed[2 : 2 + length]
    if (
        not length
        or sealed[0] != _FORMAT
        or len(sealed) < 2 + length + NONCE_BYTES + _TAG_BYTES
        or not key_id.isascii()
    ):
        raise SealedValueRefused
    return key_id.decode("ascii")


def seal_json(key: DataKey, value: JsonValue, aad: str) -> bytes:
    return seal(key, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), aad)


def open_json(keys: KeySource, sealed: bytes, aad: str) -> JsonValue:
    """Raises as ``open_sealed`` does."""
    value: JsonValue = json.loads(open_sealed(keys, sealed, aad))
    return value


def blind_index(key: bytes, tokens: Iterable[str]) -> tuple[str, ...]:
    """One opaque word of 32 hexadecimal digits (HMAC-SHA256, cut to 16 bytes) for each different token, in their order.

    The tokens are folded by the caller, for storing and for searching alike. ``key`` is the practice's: equal names of
    two practices have unequal words.
    """
    index_key = derive_key(key, "blind index")
    return tuple(
        hmac.digest(index_key, token.encode(), "sha256")[:_INDEX_BYTES].hex() for token in dict.fromkeys(tokens)
    )


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(derive_key(secret, "column"))


def _associated(key_id: str, aad: str) -> bytes:
    return bind("odontoflow column 1", key_id, aad)
