"""One case and the people around it, who do what chance says."""

from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st
from sqlmodel import update

from activities.records.commands import APPLIED
from schemas.conditions import possible_actions
from schemas.errors import OdontoError
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action, State
from schemas.sla import AmendmentKind
from schemas.tables.case import Case, CaseCommand
from tests.workflows.engine import LiveCase
from tests.workflows.retelling import check_books, retell

NEEDS_REASON = {
    Action.CONFIRM_IDENTITY,
    Action.REFUSE_IDENTITY,
    Action.DECLINE,
    Action.RETURN_TO_AUTHOR,
    Action.REJECT,
    Action.REQUEST_AMENDMENT,
    Action.DECLINE_AMENDMENT,
    Action.REOPEN,
}
ENDS = {Action.CANCEL, Action.REJECT, Action.ENTER_IN_ERROR, Action.REOPEN}
"""Not among the offered steps: they are met often enough by time and by the wild throws."""


@dataclass(frozen=True)
class Chance:
    """What is up to chance when somebody acts. Drawn the same way in every state, so that a life can be shortened."""

    reader: str = "radiologist"
    kind: AmendmentKind = AmendmentKind.APPENDED
    link: int = 0
    writes: bool = True
    adds_file: bool = False


CHANCES: Final = st.builds(
    Chance,
    reader=st.sampled_from(["radiologist", "radiologist2", "dentist"]),
    kind=st.sampled_from(AmendmentKind),
    link=st.integers(0, 2),
    writes=st.sampled_from([True, True, True, True, True, False]),
    adds_file=st.booleans(),
)
PICKS: Final = st.integers(0, 1000)


@dataclass
class Sent:
    name: str
    action: Action
    key: str
    form: dict[str, Any]
    outcome: object


@dataclass
class Life:
    """One case, and the people around it."""

    case: LiveCase
    sent: list[Sent] = field(default_factory=list)
    refused: int = 0

    def people(self) -> list[str]:
        return sorted(self.case.world.people)

    def offered(self) -> list[tuple[str, Action]]:
        row, state = self.case.world.case(self.case.id), self.case.recorded
        return [
            (name, action)
            for name in self.people()
            for action in possible_actions(
                state, self.case.world.held(name, row), self.case.world.user_id(name), is_owner=True
            )
            if action not in ENDS
        ]

    def straight_on(self) -> tuple[str, Action] | None:
        """The step that brings the case nearer to its report."""
        recorded = self.case.recorded
        signs = Action.SUBMIT_FOR_APPROVAL if recorded.policy.requires_approval else Action.SIGN
        match recorded.state:
            case State.DRAFT:
                return "dentist", Action.SUBMIT
            case State.UNASSIGNED:
                return "scheduler", Action.ASSIGN
            case State.ASSIGNED:
                return self.case.reader, Action.ACCEPT
            case State.IN_REVIEW:
                return self.case.reader, signs
            case State.MODIFICATION_REQUESTED:
                return "dentist", Action.ANSWER_MODIFICATION
            case State.AWAITING_APPROVAL:
                return self.case.name_of(recorded.approver_id), Action.APPROVE
            case State.SIGNED:
                return "dentist", Action.RELEASE
            case State.AMENDING:
                return self.case.reader, Action.SIGN
            case _:
                return None

    def form(self, action: Action, chance: Chance) -> dict[str, Any]:
        reader = self.case.world.user_id(chance.reader)
        grants = [grant.grant_id for grant in self.case.recorded.grants] or ["grt_0123456789abcdef"]
        forms: dict[Action, dict[str, Any]] = {
            Action.ASSIGN: {"radiologist_id": reader},
            Action.REASSIGN: {"radiologist_id": reader},
            Action.SUBMIT_FOR_APPROVAL: {"approver_id": reader, "password": "secret"},
            Action.NAME_APPROVER: {"approver_id": reader},
            Action.APPROVE: {"password": "secret"},
            Action.SIGN: {"password": "secret"},
            Action.ENTER_IN_ERROR: {"password": "secret", "reason": "Wrong."},
            Action.REVOKE_RELEASE: {"grant_id": grants[chance.link % len(grants)]},
            Action.AMEND: {"kind": chance.kind, "reason": "A slip of the pen."},
            Action.REQUEST_MODIFICATION: {"text": "More, please."},
            Action.ANSWER_MODIFICATION: {"text": "Here."},
            Action.KEEP_REPORT: {"password": "secret", "image_set": max(self.case.recorded.image_set, 1)},
        }
        form = forms.get(action, {"reason": "So be it."} if action in NEEDS_REASON else {})
        # What a signer has read is part of the click: the same click again says the same.
        reads = "draft_hash" in ACTION_FORMS[action].model_fields
        return form | ({"draft_hash": self.case.draft_on_the_page()} if reads else {})

    async def send(self, name: str, action: Action, chance: Chance) -> None:
        if chance.writes and action in {Action.SIGN, Action.SUBMIT_FOR_APPROVAL}:
            self.case.write_report()
        if chance.adds_file and action in {Action.ANSWER_MODIFICATION, Action.ADD_IMAGES}:
            kind, state = ("document", "ready") if chance.link == 1 else ("unknown", "stored")
            self.case.world.add_file(self.case.world.case(self.case.id), kind=kind, state=state)
        sent = Sent(name, action, f"key {len(self.sent)}", self.form(action, chance), None)
        self.sent.append(sent)
        sent.outcome = await self.outcome_of(sent)
        self.refused += isinstance(sent.outcome, OdontoError)

    async def outcome_of(self, sent: Sent) -> CaseCommand | OdontoError:
        try:
            settled = await self.case.act(sent.name, sent.action, key=sent.key, **sent.form)
        except OdontoError as fact:
            assert 400 <= fact.status < 500, fact
            return fact
        assert settled.outcome == APPLIED, f"{sent.action} is {settled.outcome}"
        return settled

    async def repeat(self, sent: Sent) -> None:
        """The same click again: an accepted command has the outcome of the first, and nothing happens twice."""
        seq = self.case.recorded.seq
        again = await self.outcome_of(sent)
        if isinstance(sent.outcome, CaseCommand):
            assert isinstance(again, CaseCommand)
            assert (again.id, again.seq) == (sent.outcome.id, sent.outcome.seq)
            assert self.case.recorded.seq == seq
        elif isinstance(again, OdontoError):
            # A refusal that never reached the case is given anew, and is a denial of its own.
            self.refused += self._was_denied_before_it_was_stored(sent)
        else:
            # Refused before by the page's own look at the table, and possible now.
            sent.outcome = again

    def _was_denied_before_it_was_stored(self, sent: Sent) -> bool:
        command_id = self.case.command_id(sent.key)
        with self.case.world.database.read() as session:
            return session.get(CaseCommand, command_id) is None

    async def check(self) -> None:
        """Invariants 2, 3, 4, 6, 12, 13, 14, 16, 17 and 18, of everything that has happened so far."""
        await self.case.settle()
        retell(self.case)
        check_books(self.case, self.refused)

    async def end(self) -> None:
        if not self.case.recorded.is_open:
            await self.case.ended()
        await self.case.practice.close()
        self.case.practice.opened.clear()
        # The next life begins as if it were the first: an abandoned case is nobody's work.
        with self.case.world.database.write() as session:
            session.exec(update(Case).values(is_open=False))
