"""Whether anything is still under way in an installation (invariant 20)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import SQLModel, col, func, select
from temporalio.client import Client, WorkflowExecutionStatus

from activities.records.commands import RECEIVED
from infra.database import Database
from schemas.ids import case_workflow_id
from schemas.lifecycle import is_open
from schemas.tables.case import CaseCommand
from schemas.tables.documents import PatientDocument
from schemas.tables.mail import OutgoingMail
from schemas.tables.wires import AuditRow, EffectRow, OutboxItem
from tests.crash.ledger import LifeStory

QUIET_S: Final = 60.0
"""How long after the last answer something may be pending. Invariant 20 says half of it, of a machine with nothing else to do."""

_WAITING: Final[dict[str, tuple[type[SQLModel], ColumnElement[bool]]]] = {
    "outbox items": (OutboxItem, col(OutboxItem.done_at).is_(None)),
    "mails": (OutgoingMail, col(OutgoingMail.done_at).is_(None)),
    "effects": (EffectRow, col(EffectRow.done_at).is_(None)),
    "audit rows outside the chain": (AuditRow, col(AuditRow.chain_seq).is_(None)),
    "unchecked documents": (PatientDocument, col(PatientDocument.state) == "stored"),
    "commands without an outcome": (CaseCommand, col(CaseCommand.outcome) == RECEIVED),
}


async def wait_until_quiet(
    database: Database, client: Client, stories: Sequence[LifeStory], seconds: float = QUIET_S
) -> list[str]:
    """What is still pending when the time is over; empty as soon as nothing is."""
    deadline = time.monotonic() + seconds
    while True:
        pending = [*_in_database(database), *[text async for text in _in_temporal(client, stories)]]
        if not pending or time.monotonic() > deadline:
            return pending
        await asyncio.sleep(0.5)


def _in_database(database: Database) -> Iterator[str]:
    with database.read() as session:
        for what, (table, condition) in _WAITING.items():
            count = session.exec(select(func.count()).select_from(table).where(condition)).one()
            if count:
                yield f"{count} {what}"


async def _in_temporal(client: Client, stories: Sequence[LifeStory]) -> AsyncIterator[str]:
    for story in stories:
        described = await client.get_workflow_handle(case_workflow_id(story.case_id)).describe()
        wanted = WorkflowExecutionStatus.RUNNING if is_open(story.end) else WorkflowExecutionStatus.COMPLETED
        if described.status is not wanted:
            yield f"{story.case_id} should be {story.end}, and its workflow is {described.status!r}"
        if described.status is not WorkflowExecutionStatus.RUNNING:
            continue  # what was under way when it ended is listed for ever, and never done
        raw = described.raw_description
        under_way = [activity.activity_type.name for activity in raw.pending_activities]
        if raw.HasField("pending_workflow_task"):
            under_way.append("workflow task")
        if under_way:
            yield f"{story.case_id} has under way: {', '.join(under_way)}"
