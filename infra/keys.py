"""Keys: the master keys of an installation, the data keys they wrap, and where others look a key up.

Every case, patient and practice has a data key of its own. The database keeps it wrapped by a master key; destroying
the wrapped key destroys all that was sealed with it. Master keys live in a file outside the database.
"""

import base64
import binascii
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from infra.envelopes import KeyRing
from schemas.errors import OdontoError
from schemas.translation import N_

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
CACHE_SECONDS: Final = 2.5
"""Life of a looked-up key in one cache. Two caches may lie above one another (here and in the payload codec), and a
destroyed key has to stop working within 5 s."""

_WRAP_FORMAT: Final = "w1"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

Value = TypeVar("Value")


class KeyDestroyed(OdontoError):
    code = "key_destroyed"
    status = 410
    title = N_("This was erased. Its content cannot be read any more, by anyone.")


class KeyUnknown(OdontoError):
    code = "key_unknown"
    status = 500
    title = N_(
        "The key of this content is not known here. Please tell the administrator; the content itself is untouched."
    )


class WrappedKeyRefused(OdontoError):
    code = "wrapped_key_refused"
    status = 500
    title = N_("A stored key was damaged or belongs elsewhere. Please tell the administrator; nothing was changed.")


class MasterKeyMissing(OdontoError):
    code = "master_key_missing"
    status = 500
    title = N_(
        "There is no master key file. Put it back from its copy, or make one with `odontoflow new-key` before the first start."
    )


class MasterKeyFileRefused(OdontoError):
    code = "master_key_file_refused"
    status = 500
    title = N_(
        "This is not a master key file of OdontoFlow. `odontoflow new-key` makes one; an installation's own comes from its copy."
    )


class DataKey(NamedTuple):
    """A key with its id. It is a KeySource of itself alone."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey(id={self.id!r})"

    def key(self, key_id: str) -> bytes:
        if key_id != self.id:
            raise KeyUnknown(key_id=key_id)
        return self.secret


class KeySource(Protocol):
    """Where the bytes of a data key come from."""

    def key(self, key_id: str) -> bytes:
        """32 bytes. Raises KeyDestroyed or KeyUnknown."""
        ...


def bind(*parts: str) -> bytes:
    """The parts as associated data in which no text can move from one part to the next (each has its length in front)."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def derive_key(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose, from a uniformly random key (HKDF-Expand with SHA-256, RFC 5869 §2.3 and §3.3)."""
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, b"odontoflow " + purpose.encode()).derive(key)


def new_data_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


class MasterKeys:
    """The master keys by id, oldest first. The newest wraps; all of them unwrap."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or not all(_KEY_ID.fullmatch(key_id) and len(key) == KEY_BYTES for key_id, key in keys.items()):
            raise MasterKeyFileRefused
        self._keys = dict(keys)
        self.active: Final = next(reversed(self._keys))

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def wrap(self, data_key: bytes, context: str) -> str:
        """``data_key`` sealed as printable text. It opens only with the same ``context``, such as the data key's id."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._wrapper(self.active).encrypt(nonce, data_key, bind(_WRAP_FORMAT, self.active, context))
        return f"{_WRAP_FORMAT}.{self.active}.{base64.urlsafe_b64encode(sealed).decode()}"

    def unwrap(self, token: str, context: str) -> bytes:
        """Raises WrappedKeyRefused (damaged, or another context), KeyUnknown (its master key is not in the file)."""
        try:
            form, master_id, body = token.split(".")
            sealed = base64.b64decode(body, altchars=b"-_", validate=True)
        except ValueError:
            raise WrappedKeyRefused(context=context) from None
        if form != _WRAP_FORMAT:
            raise WrappedKeyRefused(context=context)
        wrapper = self._wrapper(master_id)
        try:
            return wrapper.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bind(form, master_id, context))
        except (InvalidTag, ValueError):
            raise WrappedKeyRefused(context=context) from None

    def rewrap(self, token: str, context: str) -> str | None:
        """The token under the active master key, or None when it is so already: the step of a master key rotation."""
        if token.startswith(self.active_prefix):
            return None
        return self.wrap(self.unwrap(token, context), context)

    def derive(self, purpose: str, version: str | None = None) -> bytes:
        """32 bytes for one purpose, from the active master key or from the ``version`` of that id (else KeyUnknown).

        A rotation changes the active one: for what outlives a rotation use ``ring`` or a wrapped data key.
        """
        return derive_key(self._master(version or self.active), purpose)

    def ring(self, purpose: str) -> KeyRing:
        """The keys of a purpose under every master key, for what is signed now and verified later."""
        return KeyRing(self.active, {key_id: self.derive(purpose, key_id) for key_id in self._keys})

    def _master(self, key_id: str) -> bytes:
        try:
            return self._keys[key_id]
        except KeyError:
            raise KeyUnknown(key_id=key_id) from None

    def _wrapper(self, key_id: str) -> AESGCM:
        return AESGCM(derive_key(self._master(key_id), "wrap"))

    @classmethod
    def generate(cls) -> Self:
        return cls({_new_id(): new_data_key()})

    def with_new_version(self) -> Self:
        return type(self)(self._keys | {_new_id(): new_data_key()})

    def without_old_versions(self) -> Self:
        """The active key alone. What the others wrapped opens no more: for when nothing of it is left."""
        return type(self)({self.active: self._master(self.active)})

    @property
    def active_prefix(self) -> str:
        """How every token of the active key begins."""
        return f"{_WRAP_FORMAT}.{self.active}."

    def to_text(self) -> str:
        """The content of a key file. Secret."""
        keys = {key_id: base64.b64encode(key).decode() for key_id, key in self._keys.items()}
        return json.dumps({"format": 1, "keys": keys}, indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raises MasterKeyFileRefused, which says nothing of the content."""
        try:
            content = json.loads(text, object_pairs_hook=_without_repeats)
            if content["format"] != 1:
                raise MasterKeyFileRefused
            return cls({key_id: base64.b64decode(key, validate=True) for key_id, key in content["keys"].items()})
        except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
            raise MasterKeyFileRefused from None


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is there twice")
    return content


def _new_id() -> str:
    return f"mk_{secrets.token_hex(6)}"


class Ticket(NamedTuple):
    """When a question was asked: until when its answer may be kept, and after how many forgettings it was."""

    until: float
    forgettings: int


class Recent(Generic[Value]):
    """Values that were looked up, each kept for a short time and until it is forgotten. Safe to share between threads.

    Look-ups happen outside of its lock: ``ask``, then on a miss the look-up, then ``keep`` with the ticket.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic, size: int = 16_384) -> None:
        self._seconds = seconds
        self._clock = clock
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Value]] = OrderedDict()
        self._forgettings = 0

    def ask(self, name: str) -> tuple[Value | None, Ticket]:
        now = self._clock()
        with self._lock:
            ticket = Ticket(now + self._seconds, self._forgettings)
            until, value = self._known.get(name, (now, None))
            if now < until:
                return value, ticket
            self._known.pop(name, None)
            return None, ticket

    def keep(self, name: str, value: Value, ticket: Ticket) -> None:
        """Its time runs from the question. An answer that was under way while something was forgotten is not kept: it
        may be the forgotten one."""
        with self._lock:
            if ticket.forgettings == self._forgettings:
                self._known[name] = (ticket.until, value)
                while len(self._known) > self._size:
                    self._known.popitem(last=False)

    def forget(self, is_forgotten: Callable[[str, Value], bool]) -> None:
        with self._lock:
            self._forgettings += 1
            for name in [name for name, (_, value) in self._known.items() if is_forgotten(name, value)]:
                del self._known[name]
