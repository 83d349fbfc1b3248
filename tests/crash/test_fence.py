"""The fence of an effect: an attempt that was thought dead writes nothing after its successor (invariant 13)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, select

from activities.effects import EffectActivities, FenceLost, Finish
from infra.database import now
from schemas.ids import new_id
from schemas.messages import EffectInput
from schemas.state import Effect, EffectKind
from schemas.tables.wires import EffectRow, Notification
from tests.world import World, sqlite_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sqlite_world(tmp_path) as made:
        yield made


class Slow:
    """A performer whose first attempt hangs until it is let go; each attempt says in its result which one it was."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.attempts = 0
        self.first_is_at_work = threading.Event()
        self.let_first_go = threading.Event()

    def perform(self, effect: Effect, case_id: str) -> Finish:
        self.attempts += 1
        attempt = self.attempts
        if attempt == 1:
            self.first_is_at_work.set()
            assert self.let_first_go.wait(10)

        def finish(session: Session) -> None:
            session.add(
                Notification(
                    id=new_id("ntf"),
                    user_id=self._world.user_id("dentist"),
                    case_id=case_id,
                    effect_key=f"{effect.key} attempt {attempt}",
                    notice="",
                    created_at=now(),
                )
            )

        return finish


def test_a_dead_attempt_cannot_write_after_its_successor(world: World) -> None:
    row = world.add_case()
    effect = Effect(key=f"{row.id}:test:1", kind=EffectKind.NOTIFY, seq=1)
    with world.database.write() as session:
        session.add(
            EffectRow(
                key=effect.key,
                case_id=row.id,
                seq=1,
                kind=effect.kind,
                intent=effect.model_dump_json(),
                created_at=now(),
            )
        )
    slow = Slow(world)
    effects = EffectActivities(world.database, {EffectKind.NOTIFY: slow.perform})
    wanted = EffectInput(case_id=row.id, key=effect.key)
    with ThreadPoolExecutor(1) as thread:
        dead = thread.submit(effects.perform, wanted)
        assert slow.first_is_at_work.wait(10)
        effects.perform(wanted)
        slow.let_first_go.set()
        with pytest.raises(FenceLost):
            dead.result(10)
    effects.perform(wanted)
    assert slow.attempts == 2, "what is done is not done again"
    with world.database.read() as session:
        written = session.exec(select(Notification.effect_key)).all()
        fence = session.get_one(EffectRow, effect.key).fence
    assert written == [f"{effect.key} attempt 2"]
    assert fence == 2
