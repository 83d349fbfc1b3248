"""What the page of a case shows, read for one person in one transaction; only the parts that are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from activities.documents.assembly import signed_versions
from activities.records.commands import stored_form
from activities.records.opening import demographics_of, form_of
from activities.records.projection import state_of
from activities.records.questions import count_open_questions
from api.case_batches import MixedBatch, mixed_batches
from api.case_files import CaseFiles, case_files
from api.cases import timeline_of
from api.messages import channels_of, messages_of
from api.readers import ReaderLoad, readers_of
from api.row_facts import modalities_of
from api.standing import CaseAccess
from api.views import names_of
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json
from schemas.access import ABOUT_DRAFTS, Right
from schemas.clinical import ClinicalForm
from schemas.conditions import possible_actions
from schemas.forms import Demographics, MessageView, TimelineEntry
from schemas.lifecycle import Action, State, WaitReason, allowed_actions
from schemas.signed_report import SignedReport
from schemas.state import CaseState, LateCheck
from schemas.tables.case import CaseTransition, Message
from schemas.tables.imaging import IdentityFinding
from schemas.tables.people import Organization, Patient


class Part(StrEnum):
    """The regions of the page that can be fetched alone."""

    HEAD = "head"
    ACTIONS = "actions"
    FILES = "files"
    MESSAGES = "messages"
    TIMELINE = "timeline"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody typed with the step that a case waits or ended on."""

    by: str
    text: str


@dataclass(frozen=True, slots=True)
class FoundName:
    """A patient as the image files name them. PHI."""

    name: str
    birth_date: str
    contradicts: bool


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the second person compares the images with: whose case it is, and why the first vouches for them. PHI."""

    name: str
    birth_date: date
    said: Said


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """``person`` and ``form`` are None for those who may not know who the patient is; ``vouched`` is for the one who is asked
    to agree, and tells them the name: without it there is nothing to compare.
    """

    state: CaseState
    practice: Organization
    names: Mapping[str, str]
    modalities: Sequence[str] = ()
    person: Demographics | None = None
    form: ClinicalForm | None = None
    said: Said | None = None
    found_names: Sequence[FoundName] = ()
    vouched: Vouched | None = None
    open_questions: int = 0
    files: CaseFiles | None = None
    mixed: tuple[MixedBatch, ...] = ()
    readers: Sequence[ReaderLoad] = ()
    messages: Sequence[MessageView] | None = None
    timeline: Sequence[TimelineEntry] | None = None
    versions: Sequence[SignedReport] = field(default=())


_TELLING: Final[Mapping[str, frozenset[Action]]] = {
    State.MODIFICATION_REQUESTED: frozenset({Action.REQUEST_MODIFICATION}),
    State.IN_REVIEW: frozenset({Action.ANSWER_MODIFICATION, Action.RETURN_TO_AUTHOR}),
    State.REJECTED: frozenset({Action.REJECT}),
    State.CANCELLED: frozenset({Action.CANCEL}),
    State.ENTERED_IN_ERROR: frozenset({Action.ENTER_IN_ERROR}),
    WaitReason.AMENDMENT_REQUESTED: frozenset({Action.REQUEST_AMENDMENT}),
    WaitReason.IDENTITY_MISMATCH: frozenset({Action.REFUSE_IDENTITY}),
}
"""By state or by the reason of the wait: the steps of which the last one's words belong on top of the page."""
_GIVES_CASES: Final = frozenset({Action.ASSIGN, Action.REASSIGN, Action.NAME_APPROVER, Action.SUBMIT_FOR_APPROVAL})


def case_facts(session: Session, keys: KeyStore, access: CaseAccess, parts: frozenset[Part]) -> CaseFacts:
    row = access.row
    state = state_of(row)
    knows = access.may(Right.SEE_CASE)
    allowed = allowed_actions(access.state, access.held, is_owner=access.is_owner)
    shows_files = Part.FILES in parts or Part.ACTIONS in parts
    may_chat = access.may(Right.CHAT) or access.may(Right.CHAT_LOGISTICS)
    gives = Part.ACTIONS in parts and bool(_GIVES_CASES & set(allowed))
    return CaseFacts(
        state=state,
        practice=session.get_one(Organization, row.practice_id),
        names=names_of(session, (row.assignee_id, row.approver_id, row.author_id)),
        modalities=modalities_of(session, [row.id]).get(row.id, ()),
        person=demographics_of(keys, session.get_one(Patient, row.patient_id)) if knows else None,
        form=form_of(keys, row) if knows else None,
        said=_said(session, keys, access) if knows else None,
        found_names=_found_names(session, access, state),
        vouched=_vouched(session, keys, access, state),
        open_questions=count_open_questions(session, row.id) if Part.ACTIONS in parts else 0,
        files=case_files(session, access) if shows_files and sees_files(access) else None,
        mixed=mixed_batches(session, keys, access) if shows_files and sees_files(access) else (),
        readers=readers_of(session, [row.practice_id]) if gives else (),
        messages=messages_of(session, keys, access) if Part.MESSAGES in parts and may_chat else None,
        timeline=timeline_of(session, keys, access)
        if Part.TIMELINE in parts and access.may(Right.SEE_TIMELINE)
        else None,
        versions=signed_versions(session, keys, row.id)
        if Part.REPORT in parts and access.may(Right.SEE_REPORT)
        else (),
    )


def sees_files(access: CaseAccess) -> bool:
    """A scheduler of the practice adds files to a draft without seeing images."""
    return access.may(Right.SEE_IMAGES) or access.may(Right.UPLOAD)


def newest_message_of_others(session: Session, access: CaseAccess) -> Message | None:
    return session.exec(
        select(Message)
        .where(
            Message.case_id == access.row.id,
            Message.author_id != access.person.user_id,
            col(Message.channel).in_(channels_of(access)),
        )
        .order_by(col(Message.created_at).desc())
        .limit(1)
    ).first()


def _said(session: Session, keys: KeyStore, access: CaseAccess) -> Said | None:
    actions = _TELLING.get(access.row.wait_reason) or _TELLING.get(access.row.state) or frozenset()
    if not access.may(Right.SEE_DRAFT):
        actions -= ABOUT_DRAFTS
    return _last_words(session, keys, access, actions) if actions else None


def _last_words(session: Session, keys: KeyStore, access: CaseAccess, actions: frozenset[Action]) -> Said | None:
    step = session.exec(
        select(CaseTransition)
        .where(CaseTransition.case_id == access.row.id, col(CaseTransition.action).in_(actions))
        .order_by(col(CaseTransition.seq).desc())
        .limit(1)
    ).first()
    if step is None:
        return None
    form = stored_form(session, keys, step.command_id)
    text = str(form.get("text") or form.get("reason") or "")
    return Said(names_of(session, [step.actor_id]).get(step.actor_id, ""), text) if text else None


def _vouched(session: Session, keys: KeyStore, access: CaseAccess, state: CaseState) -> Vouched | None:
    possible = possible_actions(state, access.held, access.person.user_id, is_owner=access.is_owner)
    if Action.AGREE_IDENTITY not in possible or not access.may(Right.SEE_IDENTITY_CHECK):
        return None
    said = _last_words(session, keys, access, frozenset({Action.CONFIRM_IDENTITY}))
    if said is None:
        return None
    person = demographics_of(keys, session.get_one(Patient, access.row.patient_id))
    return Vouched(person.full_name, person.birth_date, said)


def _found_names(session: Session, access: CaseAccess, state: CaseState) -> Sequence[FoundName]:
    """Who the images say the patient is, for the two people who decide on a mismatch."""
    late = state.late is not None and state.late.check is LateCheck.MISMATCHED
    if not (late or access.state is State.ATTENTION) or not access.may(Right.SEE_IDENTITY_CHECK):
        return ()
    case_id, number = access.row.id, state.image_set
    finding = session.exec(
        select(IdentityFinding).where(IdentityFinding.case_id == case_id, IdentityFinding.image_set == number)
    ).first()
    if finding is None or not finding.details:
        return ()
    details = open_json(access.key, finding.details, column_aad("identity_finding", f"{case_id}/{number}", "details"))
    return [
        FoundName(
            name=str(each.get("name") or ""),
            birth_date=str(each.get("birth_date") or ""),
            contradicts=each.get("outcome") == "contradictory",
        )
        for each in (details if isinstance(details, list) else [])
        if isinstance(each, dict)
    ]
