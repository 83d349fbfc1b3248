"""A mail relay that hangs holds up mail, and nothing else: commands are taken on the real engine as ever."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from schemas.tables.wires import EffectRow, Notification
from tests.api.live import Live, live_system
from tests.api.stories import soon, submitted_case
from tests.servers.relay import relay
from tests.servers.temporal import development_server
from worker import processes
from workflows import policies


@pytest.mark.parametrize("hanging", [1, 2])
async def test_a_relay_that_hangs_delays_no_command(
    tmp_path: Path, temporal_program: str, monkeypatch: pytest.MonkeyPatch, hanging: int
) -> None:
    """Cases go on even when every place for notices hangs. As the gate has it, one is left: everybody is told in the
    application while not one mail gets through."""
    for queue in (policies.NOTICE_QUEUE, policies.CASE_QUEUE):
        monkeypatch.setitem(processes.SLOTS, queue, 2)
    monkeypatch.setattr("activities.relay_gate.PERMITS", hanging)
    monkeypatch.setattr("activities.relay_gate.PATIENCE_S", 0.2)
    monkeypatch.setattr("activities.relay_gate.REST_S", 0.0)
    monkeypatch.setattr("infra.mail._SMTP_TIMEOUT_S", 60)
    with relay() as running:
        running.hangs_at = "EHLO"
        monkeypatch.setattr("worker.processes.make_mailer", lambda *_: running.mailer())
        async with development_server(temporal_program) as temporal, live_system(tmp_path, temporal) as live:
            stories = [await submitted_case(live) for _ in range(3)]
            for story in stories:
                await soon(lambda story=story: story.row.state == "assigned")
            await soon(lambda: running.waiting == hanging)
            for story in stories:
                await story.act("dentist", "cancel", reason="Not needed")
            assert running.taken == []
            if hanging < processes.SLOTS[policies.NOTICE_QUEUE]:
                await soon(told_of(live, [story.case_id for story in stories]))
            running.come_back()
            await soon(done(live), seconds=60)
    recipients = running.recipients()
    assert recipients.count("scheduler@demo.test") == len(stories), "each notice once"
    assert len(recipients) == len({mail["Message-ID"] for _, mail in running.taken})


def told_of(live: Live, case_ids: list[str]) -> Callable[[], bool]:
    def check() -> bool:
        with live.world.database.read() as session:
            return set(session.exec(select(Notification.case_id)).all()) >= set(case_ids)

    return check


def done(live: Live) -> Callable[[], bool]:
    def check() -> bool:
        with live.world.database.read() as session:
            return session.exec(select(EffectRow.key).where(col(EffectRow.done_at).is_(None))).first() is None

    return check
