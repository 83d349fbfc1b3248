"""A small campaign of ``tests/crash/campaign.py``: each of the four processes is killed once while cases go on."""

from collections import Counter
from pathlib import Path

import pytest

from tests.crash.campaign import campaign
from tests.crash.installation import API, DATABASE, TEMPORAL, WORKER


@pytest.mark.timeout(900)
async def test_nothing_is_lost_or_doubled_while_every_process_is_killed(tmp_path: Path, temporal_program: str) -> None:
    outcome = await campaign(tmp_path, temporal_program, lifecycles=8, kills=4, seed=20)
    assert list(outcome.wrong) == []
    assert Counter(restart.name for restart in outcome.ledger.restarts) == Counter([WORKER, API, TEMPORAL, DATABASE])
