"""What the API says about the audit trail and about a case's trace: ids, codes and times, never clinical content."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StringConstraints

from schemas.forms import Form

LAST_ROW: Final = 2**63 - 1
"""The largest number that a row of the trail can have."""
_Id = Annotated[str, StringConstraints(pattern=r"^([a-z]+_[0-9a-f]{8,60})?$")]


class AuditFilter(Form):
    case_id: _Id = ""
    person_id: _Id = Field("", description="Who acted, or who it was done to.")
    act: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z_.]{0,60}$")] = Field(
        "", description="How the act's name begins, such as `case.` or `user.disable`."
    )
    before: int | None = Field(None, ge=1, le=LAST_ROW)
    limit: int = Field(50, ge=1, le=200)


class AuditRowView(BaseModel):
    """``actor`` is empty for a patient: this page names no patient."""

    id: int
    at: datetime
    scope: str
    scope_seq: int
    act: str
    outcome: str
    actor_id: str
    actor: str
    role: str
    subject_id: str | None
    subject: str
    case_number: str | None
    detail: dict[str, Any]
    chain_seq: int | None
    chain_hash: str | None


class ChainView(BaseModel):
    """``waiting`` rows are written and not linked yet; the sealer runs every second."""

    sealed: int
    waiting: int
    anchored_at: datetime | None


class BreakView(BaseModel):
    where: str
    what: str


class VerifiedChain(ChainView):
    """``breaks`` is empty when the trail is whole."""

    breaks: list[BreakView]


class TraceStep(BaseModel):
    seq: int
    action: str
    from_state: str
    to_state: str
    actor: str
    role: str
    relation: str
    command_id: str
    facts: dict[str, Any]
    at: datetime


class TraceCommand(BaseModel):
    id: str
    action: str
    actor: str
    outcome: str
    seq: int | None
    refusal_code: str | None
    refusal_status: int | None
    received_at: datetime
    settled_at: datetime | None


class TraceEffect(BaseModel):
    """``fence`` counts the attempts; ``done_at`` is null while it is under way."""

    key: str
    kind: str
    seq: int
    notice: str | None
    audience: str | None
    fence: int
    created_at: datetime
    done_at: datetime | None


class TraceFact(BaseModel):
    """An item of the outbox: the start of the case, or a fact that is signalled to it."""

    id: str
    kind: str
    attempts: int
    created_at: datetime
    done_at: datetime | None


class TraceView(BaseModel):
    case_id: str
    number: str
    state: str
    seq: int
    workflow_id: str
    temporal_url: str | None
    steps: list[TraceStep]
    commands: list[TraceCommand]
    effects: list[TraceEffect]
    facts: list[TraceFact]
