"""What workflows, updates, signals and activities say to one another. Ids and choices only, never text or PHI."""

import hashlib
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.actors import ActorEnvelope
from schemas.lifecycle import Action, State
from schemas.sla import AmendmentKind, Threshold
from schemas.state import CaseState, Frozen, IdentityStanding


class CommandFacts(Frozen):
    """What the case's rules need of an action's form. What the person typed stays in the database, under the command's id."""

    radiologist_id: str | None = None
    approver_id: str | None = None
    amendment_kind: AmendmentKind | None = None
    new_images: bool = False
    """Whether an answer came with images: found when it is written, never said by a form."""
    grant_id: str | None = None
    draft_hash: str | None = None
    image_set: int | None = None
    """The newest image set that the signer has seen."""

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal; part of the actor envelope."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()


class Command(Frozen):
    """Input of every update: a person's act with the API's signed word on who that person is (invariant 5)."""

    facts: CommandFacts = CommandFacts()
    envelope: ActorEnvelope


class CommandResult(Frozen):
    """Result of an accepted update; everything else of the new case is read from the database."""

    seq: int
    state: State


class SystemStep(Frozen):
    """An act of the case itself, on a fact or a timer."""

    action: Action
    facts: CommandFacts = CommandFacts()
    identity: IdentityStanding | None = None
    threshold: Threshold | None = None


class Actor(Frozen):
    """Who did it, as the record keeps it."""

    user_id: str
    role: str
    relation: str
    session_id: str


SYSTEM_ACTOR = Actor(user_id="system", role="system", relation="system", session_id="system")


class Record(Frozen):
    """One transition, as ``records.apply`` writes it: projection, audit row, feed events and effect intents in one transaction."""

    case_id: str
    seq: int
    command_id: str
    action: Action
    from_state: State
    actor: Actor
    at: datetime
    facts: CommandFacts
    state: CaseState
    """The whole next state; its ``effects`` that carry this ``seq`` are the new intents."""
    if_new_images: "Record | None" = None
    """An answer, or an addition, as it goes when images were added: which of the two it is, only the database knows when it is written."""


class ApplyResult(Frozen):
    """A refusal carries code, sentence and HTTP status of the fact that only the database knew.

    ``new_images``: the record's other half, :attr:`Record.if_new_images`, is what was written.
    """

    applied: bool
    new_images: bool = False
    code: str | None = None
    detail: str | None = None
    status: int | None = None


class ProcessInput(Frozen):
    """``beyond``: with more than 0 only files that came after that set count as readable, documents among them."""

    case_id: str
    image_set: int
    beyond: int = 0


class ProcessOutcome(Frozen):
    """Verdict over an image set: how many images can be read, and what the identity comparison says."""

    readable: int
    identity: IdentityStanding


class BillingInput(Frozen):
    case_id: str


class BillingOutcome(Frozen):
    """Whether the practice's plan covers the case."""

    covered: bool


class FindReaderInput(Frozen):
    case_id: str
    passed_over: tuple[str, ...] = ()
    preferred: str | None = None
    """Who had the offer before images were added: asked first, if they may still read for the practice."""


class FoundReader(Frozen):
    radiologist_id: str | None = None


class FactKind(StrEnum):
    """Facts from machines that a case listens to. They wait in the outbox until the case has been told."""

    FILES_SETTLED = "files_settled"
    LATE_FILES_SETTLED = "late_files_settled"
    """Files of a case that was submitted before. A kind of its own, so that a fact of the other kind that an open case has
    noted long ago starts no work that its history does not have."""
    LINK_LOCKED = "link_locked"


class FactInput(Frozen):
    case_id: str
    fact_id: str


class Fact(Frozen):
    """A fact from the outbox. ``kind`` is None when the id names none of this case's: then nothing happens.

    ``subject_id`` is what it is about: of :attr:`FactKind.LINK_LOCKED` the grant.
    """

    kind: FactKind | None = None
    subject_id: str | None = None


class EffectInput(Frozen):
    case_id: str
    key: str


class CaseStart(Frozen):
    """Input of ``CaseWorkflow``, for a new case, for continue-as-new and for a reopened one.

    ``reopening`` runs from a closed case's snapshot and waits a moment for the step that reopens it.
    """

    state: CaseState
    reopening: bool = False


class DecodeRequest(Frozen):
    payloads: list[dict[str, object]] = Field(max_length=1000)
