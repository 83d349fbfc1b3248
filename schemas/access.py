"""Who may do what: the authorization matrix as data and pure functions. What is not listed is denied.

Steps of the lifecycle are in ``schemas.lifecycle`` (``TRANSITIONS``); this page holds everything else. A route asks for
a :class:`Right`; the answer depends on how the actor stands to the case and on the case's state. Break-glass cells deny
until break-glass exists.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.lifecycle import SIGNED_STATES, Action, Relation, Role, State, Taker, takers_of, transition


class Right(StrEnum):
    """What a route may ask for, beside the steps of the lifecycle."""

    SEE_ROW = "see_row"
    """A worklist row without patient identity: age, sex, purpose, region, priority, clock."""
    SEE_CASE = "see_case"
    """The case with the patient's identity and the clinical form; not the report."""
    SEE_IDENTITY_CHECK = "see_identity_check"
    SEE_REPORT = "see_report"
    """Signed versions."""
    SEE_IMAGES = "see_images"
    SEE_TIMELINE = "see_timeline"
    UPLOAD = "upload"
    DELETE_FILES = "delete_files"
    EDIT_FORM = "edit_form"
    EDIT_DRAFT = "edit_draft"
    SEE_DRAFT = "see_draft"
    ANNOTATE = "annotate"
    CHAT = "chat"
    CHAT_LOGISTICS = "chat_logistics"
    SEE_TRACE = "see_trace"
    SEE_AUDIT = "see_audit"


ABOUT_DRAFTS: Final = frozenset({Action.RETURN_TO_AUTHOR})
"""Steps whose words are about an unsigned report: they stay among those who may read it (``SEE_DRAFT``)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``states`` None means every state."""

    right: Right
    taker: Taker
    states: frozenset[State] | None = None


_OWN_DENTIST: Final = Taker(Role.DENTIST, Relation.OWN)
_OWN_STAFF: Final = Taker(Role.STAFF, Relation.OWN)
_OWN_SCHEDULER: Final = Taker(Role.SCHEDULER, Relation.OWN)
_GROUP_SCHEDULER: Final = Taker(Role.SCHEDULER, Relation.GROUP)
_ASSIGNED: Final = Taker(Role.RADIOLOGIST, Relation.ASSIGNED)
_SECOND: Final = Taker(Role.RADIOLOGIST, Relation.SECOND)
_SIGNER: Final = Taker(Role.RADIOLOGIST, Relation.SIGNER)
_PRIOR: Final = Taker(Role.RADIOLOGIST, Relation.PRIOR)
_POOL: Final = Taker(Role.RADIOLOGIST, Relation.POOL)
_ADMIN: Final = Taker(Role.ADMIN, Relation.PLATFORM)
_PATIENT: Final = Taker(Role.PATIENT, Relation.RELEASED)

_DRAFT: Final = frozenset({State.DRAFT})
_INTAKE: Final = frozenset({State.DRAFT, State.ATTENTION, State.MODIFICATION_REQUESTED})
_TAKES_FILES: Final = _INTAKE | {
    State.UNASSIGNED,
    State.ASSIGNED,
    State.IN_REVIEW,
    State.AWAITING_APPROVAL,
    *SIGNED_STATES,
    State.AMENDING,
}
"""Files that come after submission are read by nobody until the practice adds them (``Action.ADD_IMAGES``); while a report
is amended they wait, so that an upload under way is not lost to an amendment."""
_READING: Final = frozenset({State.IN_REVIEW, State.AMENDING})
_READABLE: Final = frozenset(
    {State.IN_REVIEW, State.MODIFICATION_REQUESTED, State.AWAITING_APPROVAL, State.AMENDING, *SIGNED_STATES}
)
_AFTER_SIGNATURE: Final = frozenset({*SIGNED_STATES, State.AMENDING, State.ENTERED_IN_ERROR, State.CLOSED})
_AFTER_SUBMISSION: Final = frozenset(State) - _DRAFT
_FOR_PATIENT: Final = frozenset({State.RELEASED, State.AMENDING})


def _rules(right: Right, *takers: Taker, states: frozenset[State] | None = None) -> tuple[Rule, ...]:
    return tuple(Rule(right, taker, states) for taker in takers)


MATRIX: Final[tuple[Rule, ...]] = (
    *_rules(
        Right.SEE_ROW, _OWN_DENTIST, _OWN_STAFF, _OWN_SCHEDULER, _GROUP_SCHEDULER, _ASSIGNED, _SECOND, _SIGNER, _POOL
    ),
    *_rules(Right.SEE_CASE, _OWN_DENTIST, _OWN_STAFF, _OWN_SCHEDULER, _ASSIGNED, _SECOND),
    *_rules(Right.SEE_CASE, _GROUP_SCHEDULER, states=_AFTER_SUBMISSION),
    *_rules(Right.SEE_IDENTITY_CHECK, _OWN_DENTIST, _OWN_STAFF, _ASSIGNED, _SECOND),
    *_rules(Right.SEE_IDENTITY_CHECK, _POOL, states=frozenset({State.ATTENTION})),
    *_rules(Right.SEE_REPORT, _OWN_DENTIST, _OWN_STAFF, _ASSIGNED, _SECOND, _SIGNER, _PRIOR, states=_AFTER_SIGNATURE),
    *_rules(Right.SEE_REPORT, _PATIENT, states=_FOR_PATIENT),
    *_rules(Right.SEE_IMAGES, _OWN_DENTIST, _OWN_STAFF),
    *_rules(Right.SEE_IMAGES, _ASSIGNED, _SECOND, states=_READABLE),
    *_rules(Right.SEE_IMAGES, _PRIOR, states=_AFTER_SUBMISSION),
    *_rules(Right.SEE_IMAGES, _PATIENT, states=_FOR_PATIENT),
    *_rules(Right.SEE_TIMELINE, _OWN_DENTIST, _OWN_STAFF, _OWN_SCHEDULER, _GROUP_SCHEDULER, _ASSIGNED, _SECOND, _ADMIN),
    *_rules(Right.UPLOAD, _OWN_DENTIST, _OWN_STAFF, states=_TAKES_FILES),
    *_rules(Right.UPLOAD, _OWN_SCHEDULER, states=_DRAFT),
    *_rules(Right.DELETE_FILES, _OWN_DENTIST, _OWN_STAFF, states=_TAKES_FILES),
    *_rules(Right.DELETE_FILES, _OWN_SCHEDULER, states=_DRAFT),
    *_rules(Right.EDIT_FORM, _OWN_DENTIST, _OWN_STAFF, states=_DRAFT | {State.ATTENTION}),
    *_rules(Right.EDIT_DRAFT, _ASSIGNED, states=_READING),
    *_rules(Right.SEE_DRAFT, _ASSIGNED, _SECOND, states=_READABLE),
    *_rules(Right.ANNOTATE, _ASSIGNED, states=_READING),
    *_rules(Right.CHAT, _OWN_DENTIST, _OWN_STAFF, _ASSIGNED, _SECOND),
    *_rules(Right.CHAT_LOGISTICS, _OWN_SCHEDULER, _GROUP_SCHEDULER, states=_AFTER_SUBMISSION),
    *_rules(Right.SEE_TRACE, _ADMIN),
    *_rules(Right.SEE_AUDIT, _OWN_DENTIST, _OWN_STAFF, _ADMIN),
)


class OrganizationKind(StrEnum):
    PRACTICE = "practice"
    READING_GROUP = "reading_group"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Member:
    """An active membership: a role in one organization."""

    organization_id: str
    kind: OrganizationKind
    role: Role
    is_owner: bool = False
    is_approver: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person: who they are, and where they belong now."""

    user_id: str
    session_id: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """The part of a case on which relations depend. ``groups`` are the reading groups under contract with its practice."""

    case_id: str
    practice_id: str
    state: State
    groups: frozenset[str]
    assignee_id: str | None = None
    approver_id: str | None = None
    signers: frozenset[str] = frozenset()
    wants_second_person: bool = False
    """The practice has confirmed a mismatch of identity, and a radiologist has to agree."""
    prior_readers: frozenset[str] = frozenset()
    """Readers assigned to an open case of the same patient and practice."""


def takers(person: Person, case: CaseStanding) -> frozenset[Taker]:
    """Every (role, relation) in which the person stands to the case. Empty: for them the case does not exist (404)."""
    held: set[Taker] = set()
    for member in person.members:
        match member.kind:
            case OrganizationKind.PRACTICE if member.organization_id == case.practice_id:
                held.add(Taker(member.role, Relation.OWN))
            case OrganizationKind.PLATFORM:
                held.add(Taker(member.role, Relation.PLATFORM))
            case OrganizationKind.READING_GROUP if member.organization_id in case.groups:
                held.update(_group_takers(person, member, case))
            case _:
                pass
    return frozenset(held)


def _group_takers(person: Person, member: Member, case: CaseStanding) -> set[Taker]:
    if member.role is not Role.RADIOLOGIST:
        return {Taker(member.role, Relation.GROUP)} if case.state is not State.DRAFT else set()
    held: set[Taker] = set()
    if case.assignee_id == person.user_id:
        held.add(_ASSIGNED)
    elif case.assignee_id is None and (case.state is State.UNASSIGNED or case.wants_second_person):
        held.add(_POOL)
    if case.approver_id == person.user_id and member.is_approver:
        held.add(_SECOND)
    if person.user_id in case.signers:
        held.add(_SIGNER)
    if person.user_id in case.prior_readers:
        held.add(_PRIOR)
    return held


def owns_practice(person: Person, practice_id: str) -> bool:
    return any(member.organization_id == practice_id and member.is_owner for member in person.members)


def may(right: Right, held: frozenset[Taker], state: State) -> bool:
    """Whether somebody who stands so to a case in this state has the right."""
    return any(
        rule.right is right and rule.taker in held and (rule.states is None or state in rule.states) for rule in MATRIX
    )


class Verdict(StrEnum):
    """The three answers to a wish to act: allowed, never theirs (403), or theirs at another time (409)."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    NOT_NOW = "not_now"


def verdict(action: Action, held: frozenset[Taker], state: State, *, is_owner: bool = False) -> Verdict:
    """403 against 409: forbidden is what the person could do in no state, not now what the state does not allow."""
    if not held & takers_of(action):
        return Verdict.FORBIDDEN
    row = transition(action, state)
    if row is None:
        return Verdict.NOT_NOW
    if not held & set(row.takers) or (row.owner_only and not is_owner):
        return Verdict.FORBIDDEN
    return Verdict.ALLOWED


def acting_as(action: Action, held: frozenset[Taker], state: State) -> Taker | None:
    """The standing under which an allowed action is taken and recorded; the first of the row's takers that is held."""
    row = transition(action, state)
    if row is None:
        return None
    return next((taker for taker in row.takers if taker in held), None)


class PracticeRight(StrEnum):
    """Rights over a practice's things that belong to no case."""

    LIST_PATIENTS = "list_patients"
    CREATE_PATIENT = "create_patient"
    EDIT_PATIENT = "edit_patient"
    SEE_DOCUMENTS = "see_documents"
    """A patient's treatment documents."""
    EDIT_DOCUMENTS = "edit_documents"
    """To add them, to put them in order, to name and describe them, and to remove them."""
    CREATE_CASE = "create_case"
    BILLING = "billing"
    MANAGE_USERS = "manage_users"


PRACTICE_MATRIX: Final[dict[PracticeRight, frozenset[Role]]] = {
    PracticeRight.LIST_PATIENTS: frozenset({Role.DENTIST, Role.STAFF, Role.SCHEDULER}),
    PracticeRight.CREATE_PATIENT: frozenset({Role.DENTIST, Role.STAFF, Role.SCHEDULER}),
    PracticeRight.EDIT_PATIENT: frozenset({Role.DENTIST, Role.STAFF, Role.SCHEDULER}),
    PracticeRight.SEE_DOCUMENTS: frozenset({Role.DENTIST, Role.STAFF}),
    PracticeRight.EDIT_DOCUMENTS: frozenset({Role.DENTIST, Role.STAFF}),
    PracticeRight.CREATE_CASE: frozenset({Role.DENTIST, Role.STAFF, Role.SCHEDULER}),
}
"""By role within one's own practice; what only its owner may do is in :func:`may_in_practice`."""

_OWNERS_ONLY: Final = frozenset({PracticeRight.BILLING, PracticeRight.MANAGE_USERS})


def may_in_practice(right: PracticeRight, person: Person, practice_id: str) -> bool:
    for member in person.members:
        if member.organization_id == practice_id and member.kind is OrganizationKind.PRACTICE:
            if right in _OWNERS_ONLY:
                return member.is_owner
            if member.role in PRACTICE_MATRIX[right]:
                return True
    return False


def is_admin(person: Person) -> bool:
    return any(member.kind is OrganizationKind.PLATFORM and member.role is Role.ADMIN for member in person.members)


__all__ = [
    "ABOUT_DRAFTS",
    "MATRIX",
    "PRACTICE_MATRIX",
    "CaseStanding",
    "Member",
    "OrganizationKind",
    "Person",
    "PracticeRight",
    "Right",
    "Rule",
    "Verdict",
    "acting_as",
    "is_admin",
    "may",
    "may_in_practice",
    "owns_practice",
    "takers",
    "verdict",
]
