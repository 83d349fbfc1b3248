"""Who asks for a step: the API's signed word that travels with every command into the case's workflow (invariant 5)."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with a time zone, kept in UTC, so that the same moment has one spelling and one signature."""

Name = Annotated[str, Field(min_length=1, max_length=200)]


class ActorClaims(BaseModel):
    """What the API says about a person and the one step that they ask for. Ids and choices only, never PHI."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Name
    org_id: str | None = Field(None, max_length=200)
    role: Name
    relation: Name
    session_id: Name
    case_id: Name
    command_id: Name
    action: Name
    issued_at: UtcDatetime
    expires_at: UtcDatetime
    facts_hash: str = Field("", max_length=64)
    """SHA-256 of the command's facts, so that a signed envelope carries no other choice than the one made."""
    fresh_auth: bool = False
    """Whether the person proved themselves anew (password or second factor) for this very step."""


class ActorEnvelope(ActorClaims):
    """Claims with the API's signature: ``mac`` is HMAC-SHA256 in hexadecimal under the key named ``key_id``.

    Made and checked by ``infra.envelopes`` alone.
    """

    key_id: Name
    mac: str = Field(pattern=r"^[0-9a-f]{64}$")
