"""What a case asks of the engine, compared with the committed baseline: an accidental change shows here by name."""

import json

from tests.histories.make import FINGERPRINTS, fingerprint
from tests.histories.stories import modified
from tests.workflows.engine import Practice


async def test_a_story_lived_today_asks_for_the_same_as_the_recorded_one(practice: Practice) -> None:
    case = await modified(practice)
    await case.ended()
    today = fingerprint(await case.handle.fetch_history())
    assert today == json.loads(FINGERPRINTS.read_text())["modified"]
