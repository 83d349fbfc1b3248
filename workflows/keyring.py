"""The keys under which this process verifies actor envelopes. Each worker adds its ring when it starts.

An envelope names its key, so the keys of several installations may lie side by side in one process.
"""

from infra.envelopes import KeyRing
from schemas.errors import EngineUnavailable

_known: dict[str, bytes] = {}
_newest: list[str] = []


def use_envelope_ring(ring: KeyRing) -> None:
    _known.update(ring.keys)
    _newest[:] = [ring.newest]


def envelope_ring() -> KeyRing:
    """Raises EngineUnavailable in a process that was given no keys."""
    if not _newest:
        raise EngineUnavailable()
    return KeyRing(_newest[0], _known)
