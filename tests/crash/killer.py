"""Who kills the processes of an installation, one after another, and starts them again."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from tests.crash.installation import Installation
from tests.crash.ledger import Ledger, Restart

_PAUSE_S: Final = (1.0, 4.0)
_AWAY_S: Final = (0.2, 1.5)
_AT_ONCE: Final = 0.2
"""How often a kill follows the last restart closely, whatever the lives have done meanwhile."""
_PATIENCE_S: Final = 20.0
"""How long a kill waits for the lives to go on."""
_LOOK_S: Final = 0.1


class Killer:
    """``progress`` is the share of the planned steps that are done; kills are spread evenly over it and over the parts."""

    def __init__(
        self, installed: Installation, ledger: Ledger, chance: random.Random, progress: Callable[[], float]
    ) -> None:
        self._installed = installed
        self._ledger = ledger
        self._chance = chance
        self._progress = progress
        self._locks = {name: asyncio.Lock() for name in installed.parts}

    def targets(self, kills: int) -> Sequence[str]:
        """Each part once in every four, in a random order."""
        names: list[str] = []
        while len(names) < kills:
            names += self._chance.sample(list(self._installed.parts), len(self._installed.parts))
        return names[:kills]

    async def kill_all(self, kills: int) -> None:
        for number, name in enumerate(self.targets(kills), 1):
            await self._wait_for_moment(number / (kills + 1))
            part = self._installed.parts[name]
            async with self._locks[name]:
                killed = time.monotonic()
                part.kill()
                await asyncio.sleep(self._chance.uniform(*_AWAY_S))
                self._ledger.restarts.append(Restart(name, killed, time.monotonic()))
                await part.start()

    async def _wait_for_moment(self, share: float) -> None:
        if self._chance.random() < _AT_ONCE:
            await asyncio.sleep(self._chance.uniform(0, _PAUSE_S[0]))
            return
        await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
        for _ in range(int(_PATIENCE_S / _LOOK_S)):
            if self._progress() >= share:
                return
            await asyncio.sleep(_LOOK_S)

    async def mind(self) -> None:
        """Starts what ended by itself, as a supervisor does, and notes it. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for name, part in self._installed.parts.items():
                async with self._locks[name]:
                    if part.process is not None and part.process.poll() is not None:
                        self._ledger.fallen.append(f"{name} ({part.process.returncode})")
                        await part.start()
