"""Random lives of cases on the real engine, told again to the pure rules afterwards."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from activities.records.commands import APPLIED
from schemas.errors import OdontoError
from schemas.lifecycle import PEOPLES_ACTIONS, Action, allowed_actions
from schemas.messages import ProcessOutcome
from schemas.sla import AmendmentKind, Priority
from schemas.state import IdentityStanding
from schemas.tables.case import CaseCommand
from tests.workflows.engine import CLEAN, FOREIGN, UNREADABLE, LiveCase, Practice
from tests.workflows.retelling import check_books, retell

STEPS = 14
NAPS = [timedelta(minutes=5), timedelta(hours=1), timedelta(hours=5), timedelta(days=1), timedelta(days=4)]
LONG_NAP = timedelta(days=31)
UNCHECKED = ProcessOutcome(readable=2, identity=IdentityStanding.UNCHECKED)


@dataclass
class Sent:
    name: str
    action: Action
    key: str
    form: dict[str, Any]
    outcome: object


@dataclass
class Life:
    """One case, and a person with dice."""

    case: LiveCase
    dice: random.Random
    sent: list[Sent] = field(default_factory=list)
    refused: int = 0

    def people(self) -> list[str]:
        return sorted(self.case.world.people)

    def offered(self) -> list[tuple[str, Action]]:
        row, state = self.case.world.case(self.case.id), self.case.recorded.state
        return [
            (name, action)
            for name in self.people()
            for action in allowed_actions(state, self.case.world.held(name, row), is_owner=True)
            # The end of a case is met often enough by time and by the wild throws.
            if action not in {Action.CANCEL, Action.REJECT, Action.ENTER_IN_ERROR, Action.REOPEN}
        ]

    def form(self, action: Action) -> dict[str, Any]:
        readers = [self.case.world.user_id(name) for name in ("radiologist", "radiologist2", "dentist")]
        grants = [grant.grant_id for grant in self.case.recorded.grants] or ["grt_0123456789abcdef"]
        forms: dict[Action, dict[str, Any]] = {
            Action.ASSIGN: {"radiologist_id": self.dice.choice(readers)},
            Action.REASSIGN: {"radiologist_id": self.dice.choice(readers)},
            Action.SUBMIT_FOR_APPROVAL: {"approver_id": self.dice.choice(readers), "password": "secret"},
            Action.NAME_APPROVER: {"approver_id": self.dice.choice(readers)},
            Action.APPROVE: {"password": "secret"},
            Action.SIGN: {"password": "secret"},
            Action.ENTER_IN_ERROR: {"password": "secret", "reason": "Wrong."},
            Action.REVOKE_RELEASE: {"grant_id": self.dice.choice(grants)},
            Action.AMEND: {"kind": self.dice.choice(list(AmendmentKind)), "reason": "A slip of the pen."},
            Action.REQUEST_MODIFICATION: {"text": "More, please."},
            Action.ANSWER_MODIFICATION: {"text": "Here."},
        }
        needs_reason = {
            Action.CONFIRM_IDENTITY,
            Action.REFUSE_IDENTITY,
            Action.DECLINE,
            Action.RETURN_TO_AUTHOR,
            Action.REJECT,
            Action.REQUEST_AMENDMENT,
            Action.DECLINE_AMENDMENT,
            Action.REOPEN,
        }
        return forms.get(action, {"reason": "So be it."} if action in needs_reason else {})

    async def step(self) -> None:
        throw = self.dice.random()
        offered = self.offered()
        if throw < 0.60 and offered:
            await self.send(*self.dice.choice(offered))
        elif throw < 0.72:
            await self.send(self.dice.choice(self.people()), self.dice.choice(PEOPLES_ACTIONS))
        elif throw < 0.80 and self.sent:
            await self.repeat(self.dice.choice(self.sent))
        elif throw < 0.86 and len(offered) > 1:
            await asyncio.gather(*(self.send(*step) for step in self.dice.sample(offered, 2)))
        else:
            assert self.case.practice.clock is not None
            await self.case.practice.clock.advance(self.dice.choice(NAPS))
        await self.case.settle()

    async def send(self, name: str, action: Action) -> None:
        if action in {Action.SIGN, Action.SUBMIT_FOR_APPROVAL} and self.dice.random() < 0.85:
            self.case.write_report()
        if action is Action.ANSWER_MODIFICATION and self.dice.random() < 0.5:
            self.case.world.add_file(self.case.world.case(self.case.id))
        sent = Sent(name, action, f"key {self.dice.random()}", self.form(action), None)
        sent.outcome = await self.outcome_of(sent)
        self.refused += isinstance(sent.outcome, OdontoError)
        self.sent.append(sent)

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


@pytest.fixture(scope="module")
def seeds() -> range:
    return range(20)


async def test_random_lives_are_what_the_rules_say(skipping: Practice, seeds: range) -> None:
    """Invariants 2, 3, 4, 6, 12, 13, 14, 16, 17 and 18 on the real engine, for every seed."""
    for seed in seeds:
        dice = random.Random(seed)
        skipping.use_policy(hold_days=dice.choice([None, None, 0, 3, 7]), requires_approval=dice.random() < 0.3)
        life = Life(await skipping.open(dice.choice(list(Priority))), dice)
        for image_set in range(1, 6):
            outcome = dice.choices([CLEAN, FOREIGN, UNREADABLE, UNCHECKED], [8, 2, 1, 2])[0]
            skipping.imaging.by_set[life.case.id, image_set] = outcome
        try:
            for _ in range(STEPS):
                await life.step()
            retell(life.case)
            check_books(life.case, life.refused)
        except AssertionError as error:
            error.add_note(f"seed {seed}: {[(sent.name, sent.action) for sent in life.sent]}")
            raise
        if not life.case.recorded.is_open:
            await life.case.ended()
