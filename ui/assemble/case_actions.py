"""The steps that a person can take with a case now: word, form, and why one of them has to wait."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from api.case_facts import CaseFacts
from api.readers import ReaderLoad
from api.standing import CaseAccess
from infra.uploads import SILENCE
from schemas.clinical import FIELD_LABELS, pregnancy_matters
from schemas.conditions import possible_actions
from schemas.lifecycle import Action as Step
from schemas.signed_report import AMENDMENT_LABELS
from schemas.sla import AmendmentKind
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.views import Action, FormState, Option


class _Look(NamedTuple):
    word: str
    kind: Literal["primary", "secondary", "danger"] = "secondary"
    form: str = ""
    icon: str = ""


LOOKS: Final[Mapping[Step, _Look]] = {
    Step.SUBMIT: _Look(N_("Submit case"), "primary", icon="released"),
    Step.RESUBMIT: _Look(N_("Submit again"), "primary", icon="released"),
    Step.CONFIRM_IDENTITY: _Look(N_("Confirm that it is this patient"), form="reason"),
    Step.AGREE_IDENTITY: _Look(N_("Agree that it is this patient"), icon="check"),
    Step.REFUSE_IDENTITY: _Look(N_("Refuse the images"), form="reason"),
    Step.RETRY_BILLING: _Look(N_("Check the plan again"), "primary", icon="billing"),
    Step.ASSIGN: _Look(N_("Assign"), "primary", "assign", "assigned"),
    Step.REASSIGN: _Look(N_("Reassign"), form="assign", icon="assigned"),
    Step.CLAIM: _Look(N_("Take this case"), "primary", icon="assigned"),
    Step.ACCEPT: _Look(N_("Accept"), "primary", icon="check"),
    Step.DECLINE: _Look(N_("Decline"), form="reason"),
    Step.REQUEST_MODIFICATION: _Look(N_("Ask the practice"), form="question", icon="question"),
    Step.WITHDRAW_MODIFICATION: _Look(N_("Withdraw the question"), icon="undo"),
    Step.ANSWER_MODIFICATION: _Look(N_("Answer question"), "primary", "answer", "chat"),
    Step.ADD_IMAGES: _Look(N_("Add the new files"), "primary", icon="upload"),
    Step.REMOVE_LATE_IMAGES: _Look(N_("Take the added images out"), icon="undo"),
    Step.KEEP_REPORT: _Look(N_("The report stands"), "primary", "sign", "signed"),
    Step.SUBMIT_FOR_APPROVAL: _Look(N_("Sign and send for approval"), "primary", "sign", "approval"),
    Step.NAME_APPROVER: _Look(N_("Name another approver"), form="approver"),
    Step.APPROVE: _Look(N_("Approve and sign"), "primary", "sign", "signed"),
    Step.RETURN_TO_AUTHOR: _Look(N_("Return to the author"), form="reason", icon="undo"),
    Step.SIGN: _Look(N_("Sign report"), "primary", "sign", "signed"),
    Step.REJECT: _Look(N_("Reject case"), "danger", "reason"),
    Step.RELEASE: _Look(N_("Release report"), "primary", "release", "released"),
    Step.REVOKE_RELEASE: _Look(N_("Revoke a link"), "danger", "revoke", "stop"),
    Step.REQUEST_AMENDMENT: _Look(N_("Ask for an amendment"), form="reason"),
    Step.WITHDRAW_AMENDMENT_REQUEST: _Look(N_("Take the request back"), icon="undo"),
    Step.DECLINE_AMENDMENT: _Look(N_("Decline the amendment"), form="reason"),
    Step.AMEND: _Look(N_("Amend report"), form="amend", icon="amending"),
    Step.DISCARD_AMENDMENT: _Look(N_("Discard the amendment"), icon="undo"),
    Step.REOPEN: _Look(N_("Reopen case"), form="reason", icon="undo"),
    Step.ENTER_IN_ERROR: _Look(N_("Withdraw report"), "danger", "withdraw", "withdrawn"),
    Step.CANCEL: _Look(N_("Cancel case"), "danger", "cancel"),
}
"""``form`` is a template below ``templates/actions``; without one the step is one click."""
_AGAIN: Final = _Look(N_("Release again"), form="release", icon="released")

AT_THE_REPORT: Final = frozenset({Step.SIGN, Step.SUBMIT_FOR_APPROVAL, Step.APPROVE, Step.KEEP_REPORT})
"""Nobody signs what is not before their eyes: these are offered on the reading page alone."""

_SENDS_FILES: Final = frozenset({Step.SUBMIT, Step.RESUBMIT, Step.ANSWER_MODIFICATION, Step.ADD_IMAGES})
"""These wait for files that are still on their way."""

_ORDER: Final = {"primary": 0, "secondary": 1, "danger": 2}
_AMENDMENT_HINTS: Final[Mapping[AmendmentKind, str]] = {
    AmendmentKind.APPENDED: N_("The signed text stays as it is; you add to it."),
    AmendmentKind.CORRECTED: N_("A mistake in the report is put right."),
    AmendmentKind.AMENDED: N_("Any other change."),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A step that was not taken: what was typed comes back with the reason, under a new nonce."""

    action: str
    form: FormState = field(default_factory=FormState)
    problem: str = ""
    status: int = 422


def case_actions(
    access: CaseAccess, facts: CaseFacts, looker: Looker, *, tried: Tried | None = None, at_report: bool = False
) -> tuple[Action, ...]:
    """The primary step first, the dangerous ones last. ``at_report`` adds those that belong beside the report."""
    possible = possible_actions(facts.state, access.held, access.person.user_id, is_owner=access.is_owner)
    shown = [
        step
        for step in possible
        if (step is not Step.ADD_IMAGES or _has_new_files(facts))
        and (at_report or step not in AT_THE_REPORT or (tried is not None and tried.action == step))
    ]
    made = [_action(step, access, facts, looker, tried=tried) for step in shown]
    return tuple(sorted(made, key=lambda action: _ORDER[action.kind]))


def _has_new_files(facts: CaseFacts) -> bool:
    return facts.files is not None and bool(facts.files.loose or facts.files.uploading)


def _look(step: Step, facts: CaseFacts) -> _Look:
    """While a link works there is nothing to press on: another release is possible, and not what the page is about."""
    if step is Step.RELEASE and facts.state.grants:
        return _AGAIN
    if step is Step.RESUBMIT and _holds_strangers(facts):
        # Submitted as they are, they are held again; and vouching for them is never what is offered first.
        return LOOKS[step]._replace(kind="secondary")
    return LOOKS[step]


def _holds_strangers(facts: CaseFacts) -> bool:
    """Whether images that name somebody else are in the case's files yet, as far as this person is shown that."""
    return facts.files is not None and any(line.stranger is not None for line in facts.files.studies)


def _hint(step: Step, facts: CaseFacts, looker: Looker) -> str:
    if step is Step.CONFIRM_IDENTITY:
        return looker.say(
            N_(
                "Only if the images are this patient's under another name. A radiologist reads your reason and must agree."
            )
        )
    return " ".join(_left_out(step, facts, looker)) if step in _SENDS_FILES else ""


def _left_out(step: Step, facts: CaseFacts, looker: Looker) -> Iterator[str]:
    """What to know of the files before they are sent on."""
    if step is Step.SUBMIT and _holds_strangers(facts):
        yield looker.say(N_("Some images name another patient: with them, the case is held until that is settled."))
    if step is Step.RESUBMIT and _holds_strangers(facts):
        yield looker.say(N_("Remove the images that name another patient first, or the case is held again."))
    if any(batch.is_removable for batch in facts.mixed):
        yield looker.say(N_("Files of several patients are left out until you choose whose to keep."))
    if facts.files is not None and (broken := sum(line.is_removable for line in facts.files.broken)):
        yield looker.say_many(
            N_("%(num)s file cannot be read and is left out."),
            N_("%(num)s files cannot be read and are left out."),
            broken,
        )


def _action(step: Step, access: CaseAccess, facts: CaseFacts, looker: Looker, *, tried: Tried | None) -> Action:
    look = _look(step, facts)
    action = Action(
        name=step,
        word=look.word,
        url=f"/cases/{access.row.id}/actions/{step}",
        nonce=new_nonce(),
        icon=look.icon,
        kind=look.kind,
        form=look.form,
        blocked=_blocked(step, facts, looker),
        hint=_hint(step, facts, looker),
        waits_for_files=step in _SENDS_FILES,
        options=_options(step, facts, looker),
        state=_prefilled(step, facts, looker),
    )
    if tried is None or tried.action != step:
        return action
    values = {**action.state.values, **tried.form.values}
    return replace(action, state=FormState(values=values, errors=tried.form.errors, nonce=tried.form.nonce))


def missing_for_submission(facts: CaseFacts, looker: Looker) -> list[str]:
    """Words for what a submission still needs; the same rules refuse it in the record."""
    if facts.form is None or facts.person is None:
        return []
    ask = pregnancy_matters(facts.person.sex, looker.age_on(facts.person.birth_date))
    words = [looker.say(FIELD_LABELS[field]).lower() for field in facts.form.missing_for_submission(ask_pregnancy=ask)]
    if facts.files is None or not facts.files.usable:
        words.append(looker.say(N_("at least one image")))
    return words


def _blocked(step: Step, facts: CaseFacts, looker: Looker) -> str:
    if step in _SENDS_FILES and facts.files is not None and facts.files.uploading:
        on_their_way = looker.say_many(
            N_("%(num)s file is still on its way."), N_("%(num)s files are still on their way."), facts.files.uploading
        )
        given_up = looker.say(
            N_("What nobody sends on is left out after %(minutes)s minutes."), minutes=SILENCE // timedelta(minutes=1)
        )
        return f"{on_their_way} {given_up}"
    if step is Step.SUBMIT and (missing := missing_for_submission(facts, looker)):
        return looker.say(N_("Still needed: %(what)s."), what=", ".join(missing))
    if step in AT_THE_REPORT and facts.open_questions:
        return looker.say(N_("A question to the practice is still open."))
    return ""


def _options(step: Step, facts: CaseFacts, looker: Looker) -> tuple[Option, ...]:
    match step:
        case Step.ASSIGN | Step.REASSIGN:
            return tuple(
                reader_option(reader, looker) for reader in facts.readers if reader.user_id != facts.state.assignee_id
            )
        case Step.NAME_APPROVER | Step.SUBMIT_FOR_APPROVAL:
            taken = {facts.state.author_id, facts.state.assignee_id, facts.state.approver_id}
            return tuple(
                reader_option(reader, looker)
                for reader in facts.readers
                if reader.is_approver and reader.user_id not in taken
            )
        case Step.AMEND:
            return tuple(
                Option(value=kind, word=looker.say(AMENDMENT_LABELS[kind]), hint=looker.say(_AMENDMENT_HINTS[kind]))
                for kind in AmendmentKind
            )
        case Step.REVOKE_RELEASE:
            return tuple(
                Option(
                    value=grant.grant_id,
                    word=looker.say(N_("Link that is open until %(day)s"), day=looker.day(grant.expires_at)),
                )
                for grant in facts.state.grants
            )
        case _:
            return ()


def reader_option(reader: ReaderLoad, looker: Looker) -> Option:
    hint = looker.say_many(N_("%(num)s open"), N_("%(num)s open"), reader.open_cases)
    return Option(value=reader.user_id, word=reader.name, hint=hint)


def _prefilled(step: Step, facts: CaseFacts, looker: Looker) -> FormState:
    match step:
        case Step.RELEASE:
            ends = looker.moment + timedelta(minutes=facts.state.policy.link_life_minutes)
            recipient = (facts.person.email if facts.person else "") or ""
            return FormState(values={"recipient": recipient, "link_ends": looker.day(ends)})
        case Step.SIGN | Step.SUBMIT_FOR_APPROVAL | Step.APPROVE | Step.KEEP_REPORT:
            # What lies before the signer when the page is made: a page that is older refuses the signature.
            return FormState(values={"image_set": str(facts.state.readable_up_to)})
        case Step.REVOKE_RELEASE if len(facts.state.grants) == 1:
            return FormState(values={"grant_id": facts.state.grants[0].grant_id})
        case _:
            return FormState()
