"""The life of a report case: the one table of states, actions, takers, waits and clocks.

Workflow validators, HTTP answers, buttons, authorization tests and the diagram in ``docs/architecture.md`` all come
from here (DOMAIN rules "Case lifecycle"). Pure data and functions.

States follow FHIR R4 DiagnosticReport.status (https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.sla import Cause
from schemas.translation import N_


class Role(StrEnum):
    DENTIST = "dentist"
    STAFF = "staff"
    RADIOLOGIST = "radiologist"
    SCHEDULER = "scheduler"
    ADMIN = "admin"
    PATIENT = "patient"
    SYSTEM = "system"


class Relation(StrEnum):
    """How an actor stands to one case."""

    OWN = "own"
    """Active member of the case's practice."""
    GROUP = "group"
    """Active member of a reading group under contract with the case's practice."""
    POOL = "pool"
    """Radiologist of such a group while nobody is assigned."""
    ASSIGNED = "asg"
    SECOND = "second"
    """Approver or second reader named on the case."""
    SIGNER = "signer"
    """Author or approver of a signed version."""
    PRIOR = "prior"
    """Assigned to another case of the same patient and practice: images and signed reports, read only."""
    PLATFORM = "platform"
    RELEASED = "rel"
    """Patient behind a live release link (invariant 10)."""
    SYSTEM = "system"


class State(StrEnum):
    DRAFT = "draft"
    PROCESSING = "processing"
    ATTENTION = "attention"
    BILLING_HOLD = "billing_hold"
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    IN_REVIEW = "in_review"
    MODIFICATION_REQUESTED = "modification_requested"
    AWAITING_APPROVAL = "awaiting_approval"
    SIGNED = "signed"
    RELEASED = "released"
    AMENDING = "amending"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    CLOSED = "closed"


class Action(StrEnum):
    """Verbs. People take the first block as workflow updates; the system takes the second on facts and timers."""

    CREATE = "create"
    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    CONFIRM_IDENTITY = "confirm_identity"
    AGREE_IDENTITY = "agree_identity"
    REFUSE_IDENTITY = "refuse_identity"
    RETRY_BILLING = "retry_billing"
    ASSIGN = "assign"
    REASSIGN = "reassign"
    CLAIM = "claim"
    ACCEPT = "accept"
    DECLINE = "decline"
    REQUEST_MODIFICATION = "request_modification"
    WITHDRAW_MODIFICATION = "withdraw_modification"
    ANSWER_MODIFICATION = "answer_modification"
    ADD_IMAGES = "add_images"
    REMOVE_LATE_IMAGES = "remove_late_images"
    KEEP_REPORT = "keep_report"
    SUBMIT_FOR_APPROVAL = "submit_for_approval"
    NAME_APPROVER = "name_approver"
    APPROVE = "approve"
    RETURN_TO_AUTHOR = "return_to_author"
    SIGN = "sign"
    REJECT = "reject"
    RELEASE = "release"
    REVOKE_RELEASE = "revoke_release"
    REQUEST_AMENDMENT = "request_amendment"
    WITHDRAW_AMENDMENT_REQUEST = "withdraw_amendment_request"
    DECLINE_AMENDMENT = "decline_amendment"
    AMEND = "amend"
    DISCARD_AMENDMENT = "discard_amendment"
    ENTER_IN_ERROR = "enter_in_error"
    CANCEL = "cancel"
    REOPEN = "reopen"

    PASS_PROCESSING = "pass_processing"  # noqa: S105 - a verb of the lifecycle, not a secret
    HOLD_FOR_ATTENTION = "hold_for_attention"
    HOLD_FOR_BILLING = "hold_for_billing"
    RESUME_REVIEW = "resume_review"
    HOLD_LATE_IMAGES = "hold_late_images"
    OFFER_LATE_IMAGES = "offer_late_images"
    OFFER = "offer"
    LAPSE_OFFER = "lapse_offer"
    LAPSE_INTAKE = "lapse_intake"
    RELEASE_AFTER_HOLD = "release_after_hold"
    END_GRANT = "end_grant"
    LOCK_GRANT = "lock_grant"
    REMIND = "remind"
    ESCALATE = "escalate"
    CLOSE = "close"


TERMINAL: Final = frozenset({State.REJECTED, State.CANCELLED, State.ENTERED_IN_ERROR, State.CLOSED})
"""States after which no timer fires and no effect starts (invariant 16). A closed case may be reopened, by a new run."""

UNSIGNED: Final = (
    State.DRAFT,
    State.PROCESSING,
    State.ATTENTION,
    State.BILLING_HOLD,
    State.UNASSIGNED,
    State.ASSIGNED,
    State.IN_REVIEW,
    State.MODIFICATION_REQUESTED,
    State.AWAITING_APPROVAL,
)
SIGNED_STATES: Final = (State.SIGNED, State.RELEASED)
SIGNATURES: Final = frozenset({Action.SIGN, Action.APPROVE, Action.KEEP_REPORT})
"""Steps that make a version of the report."""


@dataclass(frozen=True, slots=True)
class Taker:
    """A role that stands in a relation to the case."""

    role: Role
    relation: Relation


_PRACTICE: Final = (Taker(Role.DENTIST, Relation.OWN), Taker(Role.STAFF, Relation.OWN))
_DENTIST: Final = (Taker(Role.DENTIST, Relation.OWN),)
_READER: Final = (Taker(Role.RADIOLOGIST, Relation.ASSIGNED),)
_SECOND: Final = (Taker(Role.RADIOLOGIST, Relation.SECOND),)
_POOL: Final = (Taker(Role.RADIOLOGIST, Relation.POOL),)
_SCHEDULER: Final = (Taker(Role.SCHEDULER, Relation.OWN), Taker(Role.SCHEDULER, Relation.GROUP))
_ADMIN: Final = (Taker(Role.ADMIN, Relation.PLATFORM),)
_SYSTEM: Final = (Taker(Role.SYSTEM, Relation.SYSTEM),)


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table.

    ``targets`` are every state that the action may lead to; ``schemas.decisions`` picks among them and may pick no
    other. ``fresh`` demands an authentication made for this very act. ``owner_only`` demands the practice's owner.
    """

    action: Action
    sources: tuple[State, ...]
    targets: tuple[State, ...]
    takers: tuple[Taker, ...]
    fresh: bool = False
    owner_only: bool = False

    @property
    def by_system(self) -> bool:
        return self.takers == _SYSTEM


TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(Action.SUBMIT, (State.DRAFT,), (State.PROCESSING,), _PRACTICE),
    Transition(Action.RESUBMIT, (State.ATTENTION,), (State.PROCESSING,), _PRACTICE),
    Transition(Action.CONFIRM_IDENTITY, (State.ATTENTION,), (State.ATTENTION,), _PRACTICE),
    Transition(Action.AGREE_IDENTITY, (State.ATTENTION,), (State.PROCESSING,), _POOL + _READER),
    Transition(Action.REFUSE_IDENTITY, (State.ATTENTION,), (State.ATTENTION,), _POOL + _READER),
    Transition(Action.RETRY_BILLING, (State.BILLING_HOLD,), (State.PROCESSING,), _DENTIST, owner_only=True),
    Transition(Action.ASSIGN, (State.UNASSIGNED,), (State.ASSIGNED,), _SCHEDULER + _ADMIN),
    Transition(Action.REASSIGN, (State.ASSIGNED, State.IN_REVIEW), (State.ASSIGNED,), _SCHEDULER + _ADMIN),
    # Whatever else waits for a reader's word must not wait for one who has left.
    Transition(Action.REASSIGN, (State.ATTENTION,), (State.ATTENTION,), _SCHEDULER + _ADMIN),
    Transition(Action.REASSIGN, (State.SIGNED,), (State.SIGNED,), _SCHEDULER + _ADMIN),
    Transition(Action.REASSIGN, (State.RELEASED,), (State.RELEASED,), _SCHEDULER + _ADMIN),
    Transition(Action.REASSIGN, (State.AMENDING,), (State.AMENDING,), _SCHEDULER + _ADMIN),
    Transition(Action.CLAIM, (State.UNASSIGNED,), (State.IN_REVIEW,), _POOL),
    Transition(Action.ACCEPT, (State.ASSIGNED,), (State.IN_REVIEW,), _READER),
    Transition(Action.DECLINE, (State.ASSIGNED,), (State.UNASSIGNED,), _READER),
    Transition(Action.REQUEST_MODIFICATION, (State.IN_REVIEW,), (State.MODIFICATION_REQUESTED,), _READER),
    Transition(Action.WITHDRAW_MODIFICATION, (State.MODIFICATION_REQUESTED,), (State.IN_REVIEW,), _READER),
    Transition(
        Action.ANSWER_MODIFICATION, (State.MODIFICATION_REQUESTED,), (State.IN_REVIEW, State.PROCESSING), _PRACTICE
    ),
    # Late images: before the signature they are checked before anybody reads on (documents stop nobody); after it the
    # state stays, and ``CaseState.late`` says where their verification stands.
    Transition(Action.ADD_IMAGES, (State.UNASSIGNED,), (State.UNASSIGNED, State.PROCESSING), _PRACTICE),
    Transition(Action.ADD_IMAGES, (State.ASSIGNED,), (State.ASSIGNED, State.PROCESSING), _PRACTICE),
    Transition(Action.ADD_IMAGES, (State.IN_REVIEW,), (State.IN_REVIEW, State.PROCESSING), _PRACTICE),
    Transition(Action.ADD_IMAGES, (State.AWAITING_APPROVAL,), (State.IN_REVIEW, State.PROCESSING), _PRACTICE),
    *(
        Transition(action, (state,), (state,), takers, fresh=action is Action.KEEP_REPORT)
        for action, takers in (
            (Action.ADD_IMAGES, _PRACTICE),
            (Action.CONFIRM_IDENTITY, _PRACTICE),
            (Action.AGREE_IDENTITY, _READER),
            (Action.REFUSE_IDENTITY, _READER),
            (Action.REMOVE_LATE_IMAGES, _PRACTICE),
            (Action.KEEP_REPORT, _READER),
            (Action.HOLD_LATE_IMAGES, _SYSTEM),
            (Action.OFFER_LATE_IMAGES, _SYSTEM),
        )
        for state in SIGNED_STATES
    ),
    Transition(Action.SUBMIT_FOR_APPROVAL, (State.IN_REVIEW,), (State.AWAITING_APPROVAL,), _READER, fresh=True),
    Transition(Action.NAME_APPROVER, (State.AWAITING_APPROVAL,), (State.AWAITING_APPROVAL,), _SCHEDULER + _ADMIN),
    Transition(Action.APPROVE, (State.AWAITING_APPROVAL,), (State.SIGNED,), _SECOND, fresh=True),
    Transition(Action.RETURN_TO_AUTHOR, (State.AWAITING_APPROVAL,), (State.IN_REVIEW,), _SECOND),
    Transition(Action.SIGN, (State.IN_REVIEW,), (State.SIGNED,), _READER, fresh=True),
    Transition(Action.SIGN, (State.AMENDING,), SIGNED_STATES, _READER, fresh=True),
    Transition(Action.REJECT, (State.IN_REVIEW,), (State.REJECTED,), _READER),
    Transition(Action.RELEASE, SIGNED_STATES, (State.RELEASED,), _DENTIST),
    Transition(Action.REVOKE_RELEASE, (State.RELEASED,), (State.RELEASED,), _DENTIST + _SCHEDULER + _ADMIN),
    Transition(Action.REVOKE_RELEASE, (State.AMENDING,), (State.AMENDING,), _DENTIST + _SCHEDULER + _ADMIN),
    Transition(Action.REQUEST_AMENDMENT, (State.SIGNED,), (State.SIGNED,), _PRACTICE),
    Transition(Action.REQUEST_AMENDMENT, (State.RELEASED,), (State.RELEASED,), _PRACTICE),
    Transition(Action.WITHDRAW_AMENDMENT_REQUEST, (State.SIGNED,), (State.SIGNED,), _PRACTICE),
    Transition(Action.WITHDRAW_AMENDMENT_REQUEST, (State.RELEASED,), (State.RELEASED,), _PRACTICE),
    Transition(Action.DECLINE_AMENDMENT, (State.SIGNED,), (State.SIGNED,), _READER),
    Transition(Action.DECLINE_AMENDMENT, (State.RELEASED,), (State.RELEASED,), _READER),
    Transition(Action.AMEND, SIGNED_STATES, (State.AMENDING,), _READER),
    Transition(Action.DISCARD_AMENDMENT, (State.AMENDING,), SIGNED_STATES, _READER),
    Transition(Action.ENTER_IN_ERROR, SIGNED_STATES, (State.ENTERED_IN_ERROR,), _READER, fresh=True),
    Transition(Action.CANCEL, UNSIGNED, (State.CANCELLED,), (*_PRACTICE, Taker(Role.SCHEDULER, Relation.OWN))),
    Transition(Action.REOPEN, (State.CLOSED,), (State.RELEASED,), _PRACTICE + _READER),
    Transition(Action.PASS_PROCESSING, (State.PROCESSING,), (State.UNASSIGNED,), _SYSTEM),
    Transition(Action.HOLD_FOR_ATTENTION, (State.PROCESSING,), (State.ATTENTION,), _SYSTEM),
    Transition(Action.HOLD_FOR_BILLING, (State.PROCESSING,), (State.BILLING_HOLD,), _SYSTEM),
    Transition(Action.RESUME_REVIEW, (State.PROCESSING,), (State.IN_REVIEW,), _SYSTEM),
    Transition(Action.OFFER, (State.UNASSIGNED,), (State.ASSIGNED,), _SYSTEM),
    Transition(Action.LAPSE_OFFER, (State.ASSIGNED,), (State.UNASSIGNED,), _SYSTEM),
    Transition(Action.LAPSE_INTAKE, (State.DRAFT,), (State.CANCELLED,), _SYSTEM),
    Transition(Action.RELEASE_AFTER_HOLD, (State.SIGNED,), (State.RELEASED,), _SYSTEM),
    Transition(Action.END_GRANT, (State.RELEASED,), (State.RELEASED,), _SYSTEM),
    Transition(Action.END_GRANT, (State.AMENDING,), (State.AMENDING,), _SYSTEM),
    Transition(Action.LOCK_GRANT, (State.RELEASED,), (State.RELEASED,), _SYSTEM),
    Transition(Action.LOCK_GRANT, (State.AMENDING,), (State.AMENDING,), _SYSTEM),
    Transition(Action.CLOSE, (State.RELEASED,), (State.CLOSED,), _SYSTEM),
    *(
        Transition(action, (state,), (state,), _SYSTEM)
        for action in (Action.REMIND, Action.ESCALATE)
        for state in State
        if state not in TERMINAL
    ),
)


class WaitOwner(StrEnum):
    """Who has the next move."""

    PRACTICE = "practice"
    BILLING_OWNER = "billing_owner"
    SYSTEM = "system"
    SCHEDULER = "scheduler"
    RADIOLOGIST = "radiologist"
    APPROVER = "approver"
    SECOND_PERSON = "second_person"
    PATIENT = "patient"
    NOBODY = "nobody"


class WaitReason(StrEnum):
    """Why a case waits. The sentence a person reads is in :data:`WAIT_SENTENCES`."""

    INTAKE = "intake"
    CHECKING_IMAGES = "checking_images"
    UNREADABLE_IMAGES = "unreadable_images"
    IDENTITY_MISMATCH = "identity_mismatch"
    IDENTITY_SECOND_PERSON = "identity_second_person"
    PLAN = "plan"
    NO_READER = "no_reader"
    OFFERED = "offered"
    READING = "reading"
    QUESTION = "question"
    APPROVAL = "approval"
    TO_RELEASE = "to_release"
    HOLD = "hold"
    WITH_PATIENT = "with_patient"
    NO_ACTIVE_LINK = "no_active_link"
    LINK_LOCKED = "link_locked"
    AMENDMENT_REQUESTED = "amendment_requested"
    AMENDMENT = "amendment"
    LATE_CHECKING = "late_checking"
    LATE_UNREADABLE = "late_unreadable"
    LATE_IMAGES = "late_images"
    OVER = "over"


WAIT_SENTENCES: Final[dict[WaitReason, str]] = {
    WaitReason.INTAKE: N_("Waiting for the practice: the case is submitted once its images and its form are complete."),
    WaitReason.CHECKING_IMAGES: N_("The images are being checked."),
    WaitReason.UNREADABLE_IMAGES: N_(
        "Waiting for the practice: no image could be read. Add readable images and resubmit."
    ),
    WaitReason.IDENTITY_MISMATCH: N_(
        "Waiting for the practice: the images name another patient. Replace them, or confirm that they are right."
    ),
    WaitReason.IDENTITY_SECOND_PERSON: N_(
        "Waiting for a radiologist: a second person must agree that the images are this patient's."
    ),
    WaitReason.PLAN: N_("Waiting for the practice's owner: the plan does not cover this case."),
    WaitReason.NO_READER: N_("Waiting for the scheduler: no radiologist is assigned yet."),
    WaitReason.OFFERED: N_("Waiting for the radiologist to accept the case."),
    WaitReason.READING: N_("Waiting for the radiologist's report."),
    WaitReason.QUESTION: N_("Waiting for the practice: the radiologist asked for something more."),
    WaitReason.APPROVAL: N_("Waiting for the second reader's approval."),
    WaitReason.TO_RELEASE: N_("Waiting for the practice to release the signed report to the patient."),
    WaitReason.HOLD: N_("The signed report will be released when the practice's hold ends."),
    WaitReason.WITH_PATIENT: N_("The patient can open the report."),
    WaitReason.NO_ACTIVE_LINK: N_("Released before; no link is active now."),
    WaitReason.LINK_LOCKED: N_(
        "Waiting for the practice: the patient's link is locked after too many wrong tries. Ask the patient, and release "
        "the report again."
    ),
    WaitReason.AMENDMENT_REQUESTED: N_("Waiting for the radiologist: the practice asked for an amendment."),
    WaitReason.AMENDMENT: N_("Waiting for the radiologist's amended report."),
    WaitReason.LATE_CHECKING: N_("Images were added after the signature; they are being checked."),
    WaitReason.LATE_UNREADABLE: N_(
        "Waiting for the practice: the files that were added after the signature cannot be read. Take them out, or add "
        "readable ones."
    ),
    WaitReason.LATE_IMAGES: N_(
        "Waiting for the radiologist: images were added after the signature. The report stands, or is amended."
    ),
    WaitReason.OVER: N_("Nothing is awaited."),
}


STATE_WORDS: Final[dict[State, str]] = {
    State.DRAFT: N_("Draft"),
    State.PROCESSING: N_("Checking images"),
    State.ATTENTION: N_("Needs attention"),
    State.BILLING_HOLD: N_("Billing hold"),
    State.UNASSIGNED: N_("Not assigned"),
    State.ASSIGNED: N_("Offered"),
    State.IN_REVIEW: N_("In review"),
    State.MODIFICATION_REQUESTED: N_("Question to the practice"),
    State.AWAITING_APPROVAL: N_("Awaiting approval"),
    State.SIGNED: N_("Signed"),
    State.RELEASED: N_("Released"),
    State.AMENDING: N_("Being amended"),
    State.REJECTED: N_("Rejected"),
    State.CANCELLED: N_("Cancelled"),
    State.ENTERED_IN_ERROR: N_("Entered in error"),
    State.CLOSED: N_("Closed"),
}
"""The word on a state's chip."""


class ClockRule(StrEnum):
    """What a state does to the SLA clock of the first report."""

    NOT_STARTED = "not_started"
    RUNS = "runs"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StateRule:
    """The fixed side of a state: who owns the wait by default, why, and what the clock does at whose account."""

    fhir: str
    owner: WaitOwner
    reason: WaitReason
    clock: ClockRule
    cause: Cause | None = None


STATES: Final[dict[State, StateRule]] = {
    State.DRAFT: StateRule("registered", WaitOwner.PRACTICE, WaitReason.INTAKE, ClockRule.NOT_STARTED),
    State.PROCESSING: StateRule(
        "registered", WaitOwner.SYSTEM, WaitReason.CHECKING_IMAGES, ClockRule.RUNS, Cause.SYSTEM
    ),
    State.ATTENTION: StateRule(
        "registered", WaitOwner.PRACTICE, WaitReason.UNREADABLE_IMAGES, ClockRule.PAUSED, Cause.PRACTICE
    ),
    State.BILLING_HOLD: StateRule(
        "registered", WaitOwner.BILLING_OWNER, WaitReason.PLAN, ClockRule.PAUSED, Cause.PRACTICE
    ),
    State.UNASSIGNED: StateRule("registered", WaitOwner.SCHEDULER, WaitReason.NO_READER, ClockRule.RUNS, Cause.SYSTEM),
    State.ASSIGNED: StateRule(
        "registered", WaitOwner.RADIOLOGIST, WaitReason.OFFERED, ClockRule.RUNS, Cause.RADIOLOGIST
    ),
    State.IN_REVIEW: StateRule(
        "registered", WaitOwner.RADIOLOGIST, WaitReason.READING, ClockRule.RUNS, Cause.RADIOLOGIST
    ),
    State.MODIFICATION_REQUESTED: StateRule(
        "partial", WaitOwner.PRACTICE, WaitReason.QUESTION, ClockRule.PAUSED, Cause.PRACTICE
    ),
    State.AWAITING_APPROVAL: StateRule(
        "preliminary", WaitOwner.APPROVER, WaitReason.APPROVAL, ClockRule.RUNS, Cause.RADIOLOGIST
    ),
    State.SIGNED: StateRule("final", WaitOwner.PRACTICE, WaitReason.TO_RELEASE, ClockRule.STOPPED),
    State.RELEASED: StateRule("final", WaitOwner.PATIENT, WaitReason.WITH_PATIENT, ClockRule.STOPPED),
    State.AMENDING: StateRule("final", WaitOwner.RADIOLOGIST, WaitReason.AMENDMENT, ClockRule.STOPPED),
    State.REJECTED: StateRule("cancelled", WaitOwner.NOBODY, WaitReason.OVER, ClockRule.STOPPED),
    State.CANCELLED: StateRule("cancelled", WaitOwner.NOBODY, WaitReason.OVER, ClockRule.STOPPED),
    State.ENTERED_IN_ERROR: StateRule("entered-in-error", WaitOwner.NOBODY, WaitReason.OVER, ClockRule.STOPPED),
    State.CLOSED: StateRule("final", WaitOwner.NOBODY, WaitReason.OVER, ClockRule.STOPPED),
}


_BY_KEY: Final[dict[tuple[Action, State], Transition]] = {
    (transition.action, source): transition for transition in TRANSITIONS for source in transition.sources
}
PEOPLES_ACTIONS: Final[tuple[Action, ...]] = tuple(
    action for action in Action if any(t.action is action and not t.by_system for t in TRANSITIONS)
)
"""What a person can do through ``POST /api/v1/cases/{id}/actions/{action}``."""


def transition(action: Action, state: State) -> Transition | None:
    """The row for ``action`` taken in ``state``; None when the table has none: then it is refused."""
    return _BY_KEY.get((action, state))


def takers_of(action: Action) -> frozenset[Taker]:
    """Everybody who may take ``action`` in at least one state: outside it a person is forbidden, not early."""
    return frozenset(taker for row in TRANSITIONS if row.action is action for taker in row.takers)


def allowed_actions(state: State, held: frozenset[Taker], *, is_owner: bool = False) -> tuple[Action, ...]:
    """The actions that the table has for somebody who stands so to a case in this state, in its order.

    Whether the case gives them something to act on, ``schemas.conditions.possible_actions`` knows.
    """
    return tuple(
        row.action
        for row in TRANSITIONS
        if state in row.sources and not row.by_system and held & set(row.takers) and (is_owner or not row.owner_only)
    )


def is_open(state: State) -> bool:
    return state not in TERMINAL
