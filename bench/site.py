"""A home for the benchmarked system: its database, people who may sign in, and cases that stand where they are needed."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import Client

from activities.records.commands import APPLIED, CommandDesk, Refused
from bench.programs import NAMESPACE
from infra.codec import data_converter
from infra.database import Database
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.migrate import upgrade
from infra.passwords import Passwords
from infra.settings import Settings
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action, State
from tests.api.live import set_passwords
from tests.world import World, populate
from workflows.gateway import Gateway, Wish

PASSWORD: Final = "a-long-bench-password"
_TICK_S: Final = 0.01
_PATIENCE_TICKS: Final = 6000


class NotApplied(Exception):
    """A command of a benchmark had another outcome than the one that is measured."""


@dataclass(frozen=True)
class Site:
    """A prepared home. ``env`` is the environment of its processes."""

    settings: Settings
    world: World

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "ODONTOFLOW_HOME": str(self.settings.home),
            "ODONTOFLOW_PORT": str(self.settings.port),
            "ODONTOFLOW_TEMPORAL_ADDRESS": self.settings.temporal_address,
            "ODONTOFLOW_LOG_LEVEL": "WARNING",
        }

    async def client(self) -> Client:
        """With the codec of this home."""
        return await Client.connect(
            self.settings.temporal_target, namespace=NAMESPACE, data_converter=data_converter(self.world.keys)
        )

    async def gateway(self) -> Gateway:
        """The API's way to a case, in this process."""
        return Gateway(await self.client(), self.world.database, self.world.keys)

    def reader_of(self, case_id: str) -> str:
        """The short name of the radiologist to whom the case was offered."""
        assignee = self.world.case(case_id).assignee_id
        return next(name for name, person in self.world.people.items() if person.user_id == assignee)

    async def act(self, gateway: Gateway, name: str, case_id: str, action: Action, **form: object) -> None:
        """A person's command through the gateway, until it is applied. Raises NotApplied, or the fact that refuses it.

        A busy worker or one that was killed may answer later than the gateway waits.
        """
        row = await asyncio.to_thread(self.world.case, case_id)
        wish = Wish(
            person=self.world.person(name),
            case=row,
            held=self.world.held(name, row),
            is_owner=True,
            action=action,
            form=ACTION_FORMS[action].model_validate(form),
            idempotency_key=secrets.token_hex(8),
            fresh="password" in form,
        )
        command = await gateway.act(wish)
        if command.outcome == APPLIED:
            return
        desk = CommandDesk(self.world.database, self.world.keys)
        for _ in range(_PATIENCE_TICKS):
            settled = await asyncio.to_thread(desk.outcome, command.id)
            if settled is not None and settled.outcome == APPLIED:
                return
            await asyncio.sleep(_TICK_S)
        raise NotApplied(action, command.id)

    async def until(self, case_id: str, state: State) -> None:
        for _ in range(_PATIENCE_TICKS):
            if (await asyncio.to_thread(self.world.case, case_id)).state == state:
                return
            await asyncio.sleep(_TICK_S)
        raise TimeoutError(f"the case does not reach {state}")

    async def accept(self, gateway: Gateway, case_id: str) -> None:
        """By whoever was asked. The offer is in the database a moment before the case itself has taken it up."""
        reader = await asyncio.to_thread(self.reader_of, case_id)
        for _ in range(_PATIENCE_TICKS):
            try:
                return await self.act(gateway, reader, case_id, Action.ACCEPT)
            except Refused:
                await asyncio.sleep(_TICK_S)
        raise TimeoutError("the case is not accepted")

    async def case_in_review(self, gateway: Gateway) -> str:
        """Opened, submitted, offered by itself, accepted by whoever was asked; returns its id."""
        row = await asyncio.to_thread(self.world.add_case)
        await gateway.announce(row.id)
        await self.act(gateway, "dentist", row.id, Action.SUBMIT)
        await self.until(row.id, State.ASSIGNED)
        await self.accept(gateway, row.id)
        return row.id


@contextmanager
def prepared(home: Path, temporal_target: str, port: int = 8000) -> Iterator[Site]:
    settings = Settings(home=home, port=port, temporal_address=temporal_target, log_level="WARNING")
    upgrade(settings)
    database = Database.from_settings(settings)
    try:
        world = populate(database, KeyStore(database, load_master_keys(settings)))
        set_passwords(world, Passwords(settings).hash(PASSWORD))
        yield Site(settings, world)
    finally:
        database.close()
