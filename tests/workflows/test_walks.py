"""Lives of cases on the time-skipping server, told again to the pure rules after every step.

Hypothesis makes up the lives, and shortens one that goes wrong. ``--hypothesis-profile=thorough`` makes up many more.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from schemas.lifecycle import PEOPLES_ACTIONS, Action
from schemas.messages import ProcessOutcome
from schemas.sla import Priority
from schemas.state import IdentityStanding
from tests.servers.temporal import time_skipping_server
from tests.workflows.engine import CLEAN, FOREIGN, UNREADABLE, Clock, Practice, running
from tests.workflows.lives import CHANCES, PICKS, Chance, Life
from tests.world import sqlite_world

NAPS = [timedelta(minutes=5), timedelta(hours=1), timedelta(hours=5), timedelta(days=1), timedelta(days=4)]
LONG_NAP = timedelta(days=31)
UNCHECKED = ProcessOutcome(readable=2, identity=IdentityStanding.UNCHECKED)
Result = TypeVar("Result")


@dataclass
class Bench:
    """A practice on an engine whose loop runs in a thread of its own, for a caller that cannot await."""

    loop: asyncio.AbstractEventLoop
    practice: Practice

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = Thread(target=loop.run_forever, name="engine", daemon=True)
    thread.start()
    ready: Future[Practice] = Future()
    served = asyncio.run_coroutine_threadsafe(_serve(tmp_path_factory.mktemp("lives"), ready, stop), loop)
    try:
        yield Bench(loop, ready.result(60))
    finally:
        loop.call_soon_threadsafe(stop.set)
        served.result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(home: Path, ready: Future[Practice], stop: asyncio.Event) -> None:
    try:
        with pytest.MonkeyPatch.context() as patch, sqlite_world(home) as world:
            async with time_skipping_server() as environment:
                clock = Clock(environment, patch)
                await clock.synchronize()
                async with running(environment.client, world, clock=clock) as practice:
                    ready.set_result(practice)
                    await stop.wait()
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


class Lives(RuleBasedStateMachine):
    """Runs in Hypothesis' thread; everything that happens, happens on the engine's loop."""

    bench: ClassVar[Bench]
    life: Life | None = None

    def tell(self, line: str) -> None:
        """Beside the rules' own words in the report of a life that went wrong."""
        note(f"# {line}")
        self.story.append(line)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return self.bench.run(work)
        except BaseException as error:
            error.add_note("\n".join(self.story))
            raise

    @initialize(
        priority=st.sampled_from(Priority),
        hold_days=st.sampled_from([None, None, 0, 3, 7]),
        approval=st.sampled_from([False, False, True]),
        outcomes=st.lists(
            st.sampled_from([CLEAN] * 8 + [FOREIGN] * 2 + [UNREADABLE, UNCHECKED, UNCHECKED]), min_size=5, max_size=5
        ),
        ahead=st.integers(0, 5),
        chance=CHANCES,
    )
    def begin(
        self,
        priority: Priority,
        hold_days: int | None,
        approval: bool,
        outcomes: list[ProcessOutcome],
        ahead: int,
        chance: Chance,
    ) -> None:
        """A new draft, or one that has come some way, so that the late states are seen as often as the early ones."""
        practice = self.bench.practice
        self.story: list[str] = []
        self.run(self.monday_morning())
        practice.use_policy(hold_days=hold_days, requires_approval=approval)
        self.life = Life(self.run(practice.open(priority)))
        for image_set, outcome in enumerate(outcomes, 1):
            practice.imaging.by_set[self.life.case.id, image_set] = outcome
        for _ in range(ahead):
            self.straight_on(chance)

    async def monday_morning(self) -> None:
        """Business hours are no matter of chance: a life that is lived again meets the same ones."""
        clock = self.bench.practice.clock
        assert clock is not None
        moment = clock.now()
        monday = (moment + timedelta(days=7 - moment.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
        await clock.advance(monday - moment)

    @property
    def now(self) -> Life:
        assert self.life is not None
        return self.life

    def _send(self, *steps: tuple[str, Action], chance: Chance) -> None:
        """All at once, where they are several."""
        life = self.now
        self.tell(f"{' beside '.join(f'{name}: {action}' for name, action in steps)}")

        async def act() -> None:
            await asyncio.gather(*(life.send(name, action, chance) for name, action in steps))
            await life.case.settle()

        self.run(act())
        self.tell(f"seq {life.case.recorded.seq}, {life.case.recorded.state}")

    @rule(chance=CHANCES)
    def straight_on(self, chance: Chance) -> None:
        step = self.now.straight_on()
        if step is not None:
            self._send(step, chance=chance)

    @rule(picks=st.lists(st.tuples(PICKS, CHANCES), min_size=1, max_size=3))
    def act_as_the_page_offers(self, picks: list[tuple[int, Chance]]) -> None:
        for pick, chance in picks:
            offered = self.now.offered()
            if offered:
                self._send(offered[pick % len(offered)], chance=chance)

    @rule(name=PICKS, action=st.sampled_from(PEOPLES_ACTIONS), chance=CHANCES)
    def act_at_random(self, name: int, action: Action, chance: Chance) -> None:
        people = self.now.people()
        self._send((people[name % len(people)], action), chance=chance)

    @rule(which=PICKS)
    def click_again(self, which: int) -> None:
        if not self.now.sent:
            return  # no precondition: what is drawn must not depend on how the case stands
        sent = self.now.sent[which % len(self.now.sent)]
        self.tell(f"again {sent.name}: {sent.action}")
        self.run(self.now.repeat(sent))

    @rule(nap=st.sampled_from([*NAPS, LONG_NAP]))
    def time_passes(self, nap: timedelta) -> None:
        clock = self.bench.practice.clock
        assert clock is not None
        self.run(clock.advance(nap))

    @invariant()
    def what_the_engine_did_is_what_the_rules_say(self) -> None:
        if self.life is not None:
            self.run(self.life.check())

    def teardown(self) -> None:
        if self.life is not None:
            self.run(self.life.end())


class CrowdedLives(Lives):
    """With steps that race. A race cannot be lived again, so these lives are not shortened."""

    @rule(one=PICKS, other=PICKS, chance=CHANCES)
    def two_act_at_once(self, one: int, other: int, chance: Chance) -> None:
        offered = self.now.offered()
        if len(offered) > 1:
            first = offered.pop(one % len(offered))
            self._send(first, offered[other % len(offered)], chance=chance)


SETTINGS = settings(
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def live(machine: type[Lives], bench: Bench, examples: int, chosen: settings) -> None:
    thorough = settings.get_current_profile_name() == "thorough"
    machine.bench = bench
    many, long = (examples * 25, 30) if thorough else (examples, 8)
    run_state_machine_as_test(machine, settings=settings(chosen, max_examples=many, stateful_step_count=long))


@pytest.mark.timeout(1200)  # a life that goes wrong is shortened for five minutes at most
def test_any_life_is_what_the_rules_say(bench: Bench) -> None:
    live(Lives, bench, 14, SETTINGS)


def test_any_life_with_steps_at_the_same_moment_is_what_the_rules_say(bench: Bench) -> None:
    live(CrowdedLives, bench, 6, settings(SETTINGS, phases=[Phase.generate]))
