"""The key ring under which a worker verifies actor envelopes. Set once, when the worker starts."""

from infra.envelopes import KeyRing
from schemas.errors import EngineUnavailable

_ring: list[KeyRing] = []


def use_envelope_ring(ring: KeyRing) -> None:
    _ring[:] = [ring]


def envelope_ring() -> KeyRing:
    if not _ring:
        raise EngineUnavailable()
    return _ring[0]
