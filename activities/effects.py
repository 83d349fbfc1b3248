"""Effects: what a case does to the world, each once (invariant 13).

Every attempt takes a growing fence from the effect's row; its result is written only under that fence, so that an
attempt that was thought dead cannot write after its successor.
"""

from collections.abc import Callable
from typing import Final

from sqlmodel import Session, col, update
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeats import beating
from infra.database import Database, now
from schemas.messages import EffectInput
from schemas.state import Effect, EffectKind
from schemas.tables.wires import EffectRow

Finish = Callable[[Session], None]
"""Writes an effect's result in the transaction that marks it done."""

Performer = Callable[[Effect, str], Finish | None]
"""Does the effect for a case; returns what is to be written with it."""


class FenceLost(Exception):
    """A later attempt has taken over."""


class EffectActivities:
    def __init__(self, database: Database, performers: dict[EffectKind, Performer]) -> None:
        self._database = database
        self._performers: Final = performers

    @activity.defn(name="effects.perform")
    def perform(self, wanted: EffectInput) -> None:
        """Performs a recorded intent. Repeats are harmless; a key that was never recorded is refused."""
        taken = self._take(wanted)
        if taken is None:
            return
        effect, fence = taken
        with beating():
            finish = self._performers[effect.kind](effect, wanted.case_id)
        self._finish(effect.key, fence, finish)

    def _take(self, wanted: EffectInput) -> tuple[Effect, int] | None:
        with self._database.write() as session:
            row = session.get(EffectRow, wanted.key, with_for_update=True)
            if row is None or row.case_id != wanted.case_id:
                raise ApplicationError("No such effect was recorded", type="EffectUnknown", non_retryable=True)
            if row.done_at is not None:
                return None
            row.fence += 1
            return Effect.model_validate_json(row.intent), row.fence

    def _finish(self, key: str, fence: int, finish: Finish | None) -> None:
        with self._database.write() as session:
            marked = session.exec(
                update(EffectRow)
                .where(col(EffectRow.key) == key, col(EffectRow.fence) == fence, col(EffectRow.done_at).is_(None))
                .values(done_at=now())
            )
            if marked.rowcount != 1:
                raise FenceLost(key)
            if finish is not None:
                finish(session)
