"""Signing and checking of actor envelopes (invariant 5).

Checking runs inside a workflow's update validator: it is pure, takes the time as an argument, and imports nothing but
the standard library and ``schemas``, so that the workflow sandbox can load it.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from schemas.actors import ActorClaims, ActorEnvelope
from schemas.errors import OdontoError
from schemas.translation import N_

CLOCK_SKEW: Final = timedelta(seconds=60)
"""How far the signer's clock may run ahead of the checker's."""

_DOMAIN: Final = b"odontoflow actor envelope 1\n"


class EnvelopeForged(OdontoError):
    code = "envelope_forged"
    status = 403
    title = N_("This step does not carry a valid proof of who asked for it. Please sign in again and repeat it.")


class EnvelopeExpired(OdontoError):
    code = "envelope_expired"
    status = 403
    title = N_("This step waited too long and was not taken. Nothing was changed; please repeat it.")


class EnvelopeForAnotherCase(OdontoError):
    code = "envelope_for_another_case"
    status = 403
    title = N_("This step was asked for on another case. Please open the case and repeat it there.")


class EnvelopeForAnotherStep(OdontoError):
    code = "envelope_for_another_step"
    status = 403
    title = N_("This step is not the one that was asked for. Please open the case and repeat it.")


@dataclass(frozen=True)
class KeyRing:
    """Keys of one purpose by id. The newest signs; every key of the ring is accepted, so that keys can be rotated."""

    newest: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.newest not in self.keys:
            raise ValueError("the newest key is not in its ring")


def _mac(key: bytes, claims: ActorClaims, key_id: str) -> str:
    """HMAC-SHA256 over the domain and the canonical JSON (sorted names, no spaces, ASCII) of all fields but ``mac``."""
    fields = claims.model_dump(mode="json", exclude={"mac"}) | {"key_id": key_id}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    return hmac.new(key, _DOMAIN + canonical, hashlib.sha256).hexdigest()


def sign_envelope(claims: ActorClaims, ring: KeyRing) -> ActorEnvelope:
    """The claims with the signature of the ring's newest key."""
    said = claims.model_dump(include=set(ActorClaims.model_fields))
    return ActorEnvelope(**said, key_id=ring.newest, mac=_mac(ring.keys[ring.newest], claims, ring.newest))


def verify_envelope(
    envelope: ActorEnvelope,
    ring: KeyRing,
    *,
    case_id: str,
    now: datetime,
    action: str | None = None,
    command_id: str | None = None,
) -> ActorClaims:
    """Return the envelope as claims that can be believed.

    ``action`` and ``command_id`` are compared when they are given: an update's own name and id.

    Raises EnvelopeForged, EnvelopeForAnotherCase, EnvelopeForAnotherStep or EnvelopeExpired. The signature comes first:
    nothing is said about the content of an envelope that the API did not sign.
    """
    key = ring.keys.get(envelope.key_id)
    if key is None or not hmac.compare_digest(_mac(key, envelope, envelope.key_id), envelope.mac):
        raise EnvelopeForged
    if envelope.case_id != case_id:
        raise EnvelopeForAnotherCase
    if (action is not None and envelope.action != action) or (
        command_id is not None and envelope.command_id != command_id
    ):
        raise EnvelopeForAnotherStep
    if now >= envelope.expires_at or envelope.issued_at > now + CLOCK_SKEW:
        raise EnvelopeExpired
    return envelope
