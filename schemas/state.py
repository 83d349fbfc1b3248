"""The durable state of one case: what its workflow carries, and nothing else.

It holds ids, states, times and decisions; never text, images or people's data. It is restored whole after
continue-as-new, and its snapshot in the database reopens a closed case.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import STATES, State, WaitOwner, WaitReason, is_open
from schemas.sla import AmendmentKind, Clock, Priority, SlaPolicy, Threshold
from schemas.translation import N_


class Frozen(BaseModel):
    """Base of everything that travels through a workflow: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Then(StrEnum):
    """What happens when a wait's time is over."""

    DRAFT_ENDS = "draft_ends"
    OFFERED_TO_ANOTHER = "offered_to_another"
    LATE = "late"
    RELEASED = "released"
    LINK_ENDS = "link_ends"
    REMINDED = "reminded"
    NOTHING = "nothing"


THEN_SENTENCES: Final[dict[Then, str]] = {
    Then.DRAFT_ENDS: N_("Then the draft is cancelled."),
    Then.OFFERED_TO_ANOTHER: N_("Then it is offered to another radiologist."),
    Then.LATE: N_("Then the report is late and the scheduler is told."),
    Then.RELEASED: N_("Then the report is released to the patient."),
    Then.LINK_ENDS: N_("Then the patient's link ends."),
    Then.REMINDED: N_("Then whoever is awaited is reminded."),
    Then.NOTHING: "",
}


class Wait(Frozen):
    """Who has the next move, why, since when, until when, and what happens then."""

    owner: WaitOwner
    reason: WaitReason
    since: datetime
    until: datetime | None = None
    then: Then = Then.NOTHING


class IdentityStanding(StrEnum):
    """Where the comparison of the images' identity with the case stands (DOMAIN rules, wrong-patient protection)."""

    UNCHECKED = "unchecked"
    MATCHED = "matched"
    MISMATCHED = "mismatched"
    OVERRIDDEN = "overridden"


class Identity(Frozen):
    """``confirmed_by`` is the first person (the practice), ``agreed_by`` the second (a radiologist)."""

    standing: IdentityStanding = IdentityStanding.UNCHECKED
    confirmed_by: str | None = None
    agreed_by: str | None = None


class Grant(Frozen):
    """A live release link. Its row and its workflow hold the rest."""

    grant_id: str
    expires_at: datetime


class Amendment(Frozen):
    """An amendment under way: its own clock, and the state to which the signature returns."""

    kind: AmendmentKind
    return_to: State
    clock: Clock
    thresholds: tuple[Threshold, ...] = ()


class LateCheck(StrEnum):
    """Where the verification of images that came after the signature stands."""

    UNCHECKED = "unchecked"
    UNREADABLE = "unreadable"
    MISMATCHED = "mismatched"
    OFFERED = "offered"
    """Checked, and with the radiologist: the report stands or is amended."""


class LateImages(Frozen):
    """Image sets beyond the one that the latest version covers, and the two people of an override (see ``Identity``)."""

    since: datetime
    check: LateCheck = LateCheck.UNCHECKED
    confirmed_by: str | None = None


class EffectKind(StrEnum):
    NOTIFY = "notify"
    RENDER_PDF = "render_pdf"
    MAIL_LINK = "mail_link"


class Audience(StrEnum):
    """Whom a notice is for; resolved to people when it is sent, so that somebody who left is not told."""

    PRACTICE = "practice"
    BILLING_OWNER = "billing_owner"
    ASSIGNEE = "assignee"
    APPROVER = "approver"
    POOL = "pool"
    SCHEDULERS = "schedulers"
    ADMINS = "admins"


class Effect(Frozen):
    """Something to be done in the world exactly once. ``key`` is ``case:effect:version`` (invariant 13)."""

    key: str
    kind: EffectKind
    notice: str | None = None
    audience: Audience | None = None
    version: int | None = None
    grant_id: str | None = None
    seq: int


_UNCHECKED: Final = frozenset({State.DRAFT, State.PROCESSING, State.ATTENTION, State.CANCELLED})


class CaseState(Frozen):
    """Everything that decides what may happen next to a case."""

    case_id: str
    practice_id: str
    patient_id: str
    state: State = State.DRAFT
    seq: int = 0
    priority: Priority
    policy: SlaPolicy
    clock: Clock
    thresholds: tuple[Threshold, ...] = ()
    wait: Wait
    nudges: int = 0
    """Reminders sent in this wait; the next one comes after a doubled interval."""
    created_at: datetime
    image_set: int = 0
    """Number of the frozen image set; each is immutable (invariant 11)."""
    verified_set: int | None = None
    """The newest set that was checked and is this patient's; None in a state of before this was noted."""
    signed_set: int | None = None
    """The set that the latest version covers; None as above, and before the first signature."""
    identity: Identity = Identity()
    late: LateImages | None = None
    files_arrived: bool = False
    late_files_arrived: bool = False
    """As ``files_arrived``, for files that come after submission."""
    reader_sought: bool = False
    assignee_id: str | None = None
    was_read_by: str | None = None
    """The reader to whom the case returns from processing after an answered question."""
    was_offered_to: str | None = None
    """The reader to whom the case was offered when images were added, and who is asked first afterwards."""
    passed_over: tuple[str, ...] = ()
    """Readers who declined or let an offer lapse; automatic assignment does not ask them again."""
    offer_ends_at: datetime | None = None
    author_id: str | None = None
    approver_id: str | None = None
    version: int = 0
    signed_at: datetime | None = None
    amendment: Amendment | None = None
    amendment_requested: bool = False
    grants: tuple[Grant, ...] = ()
    last_release_at: datetime | None = None
    link_locked: bool = False
    """A link was locked after wrong tries, and no new one was made since."""
    effects: tuple[Effect, ...] = ()
    """Intents that are recorded and not yet done."""
    facts: tuple[str, ...] = ()
    """Outbox facts that arrived by signal and have not been read."""

    @property
    def is_open(self) -> bool:
        return is_open(self.state)

    @property
    def readable_up_to(self) -> int:
        """The newest set whose images readers see (invariant 11); 0 when there is none."""
        if self.verified_set is not None:
            return self.verified_set
        return 0 if self.state in _UNCHECKED else self.image_set

    @property
    def signed_up_to(self) -> int:
        """The set that the latest version covers: what the patient sees. 0 before the first signature."""
        if self.signed_set is not None:
            return self.signed_set
        return self.image_set if self.version else 0

    def without_effect(self, key: str) -> "CaseState":
        return self.model_copy(update={"effects": tuple(effect for effect in self.effects if effect.key != key)})

    def with_fact(self, fact_id: str) -> "CaseState":
        """Remembers a signalled fact once, however often the signal comes."""
        if fact_id in self.facts:
            return self
        return self.model_copy(update={"facts": (*self.facts, fact_id)})

    def without_fact(self, fact_id: str) -> "CaseState":
        return self.model_copy(update={"facts": tuple(known for known in self.facts if known != fact_id)})


def opened(
    *, case_id: str, practice_id: str, patient_id: str, priority: Priority, policy: SlaPolicy, now: datetime
) -> CaseState:
    """A new draft. ``policy`` is captured here: a running case finishes under the version that it began with."""
    rule = STATES[State.DRAFT]
    expiry = now + timedelta(minutes=policy.intake_expiry_minutes)
    return CaseState(
        case_id=case_id,
        practice_id=practice_id,
        patient_id=patient_id,
        priority=priority,
        policy=policy,
        clock=policy.clock(priority),
        wait=Wait(owner=rule.owner, reason=rule.reason, since=now, until=expiry, then=Then.DRAFT_ENDS),
        created_at=now,
    )
