"""Tells Temporal what the outbox holds: the start of a case, and facts. At least once; both are harmless to repeat."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.records.projection import state_of
from infra.database import Database, now
from infra.outbox import START_CASE, is_waiting, waiting
from schemas.errors import OdontoError
from schemas.ids import case_workflow_id
from schemas.messages import CaseStart
from schemas.state import CaseState
from schemas.tables.case import Case
from schemas.tables.wires import OutboxItem
from workflows import policies
from workflows.case import CaseWorkflow

_SWEEP_SECONDS: Final = 1.0
_RPC_TIMEOUT: Final = timedelta(seconds=5)
_log = logging.getLogger(__name__)


class Dispatcher:
    """Run by every worker as a sweep, and by the API for the case that it has just written."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database

    async def run(self) -> None:
        """Sweeps until it is cancelled. An engine that is away is waited for: the outbox keeps everything."""
        while True:
            try:
                told = await self.dispatch()
            except RPCError as error:
                _log.warning("Temporal did not answer the outbox: %s", error.status.name)
                told = 0
            except Exception:
                # The database is away, say. Whatever it is, no case would ever start again if the sweep ended here.
                _log.exception("the sweep of the outbox failed and goes on")
                told = 0
            if not told:
                await asyncio.sleep(_SWEEP_SECONDS)

    async def dispatch(self, case_id: str | None = None) -> int:
        """Tells what waits, of one case or of all; returns how many items were told. Raises RPCError.

        An item that cannot be told does not hold up the others: it waits for the next sweep.
        """
        told = 0
        failure: RPCError | None = None
        for item in await asyncio.to_thread(self._waiting, case_id):
            try:
                if not await self._tell(item):
                    continue
            except RPCError as error:
                if error.status is RPCStatusCode.UNAVAILABLE:
                    raise
                failure = error
            except OdontoError as error:
                # The case's key is gone: it was erased, and nobody is left to be told.
                _log.warning("%s of %s cannot be told: %s", item.kind, item.case_id, error.code)
            else:
                await asyncio.to_thread(self._mark_done, item.id)
                told += 1
        if failure is not None and not told:
            raise failure
        return told

    async def _tell(self, item: OutboxItem) -> bool:
        workflow_id = case_workflow_id(item.case_id)
        if item.kind == START_CASE:
            state = await asyncio.to_thread(self._opening_state, item.case_id)
            try:
                await self._client.start_workflow(
                    CaseWorkflow.run,
                    CaseStart(state=state),
                    id=workflow_id,
                    task_queue=policies.CASE_QUEUE,
                    task_timeout=policies.TASK_TIMEOUT,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary="Report case",
                    rpc_timeout=_RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError:
                return True
            return True
        try:
            handle = self._client.get_workflow_handle(workflow_id)
            await handle.signal(CaseWorkflow.fact, item.id, rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # Not started yet: told later. Over: nobody is left to listen, and nothing may start any more.
            return not await asyncio.to_thread(self._is_starting, item.case_id)
        return True

    async def reopen(self, case_id: str) -> None:
        """Starts a new run of a closed case from its snapshot; the run waits for the step that reopens it."""
        state = await asyncio.to_thread(self._opening_state, case_id)
        await self._client.start_workflow(
            CaseWorkflow.run,
            CaseStart(state=state, reopening=True),
            id=case_workflow_id(case_id),
            task_queue=policies.CASE_QUEUE,
            task_timeout=policies.TASK_TIMEOUT,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Report case, reopened",
            rpc_timeout=_RPC_TIMEOUT,
        )

    def _waiting(self, case_id: str | None) -> list[OutboxItem]:
        with self._database.read() as session:
            return list(waiting(session, case_id=case_id))

    def _opening_state(self, case_id: str) -> CaseState:
        with self._database.read() as session:
            return state_of(session.get_one(Case, case_id))

    def _is_starting(self, case_id: str) -> bool:
        with self._database.read() as session:
            return is_waiting(session, START_CASE, case_id)

    def _mark_done(self, item_id: str) -> None:
        with self._database.write() as session:
            item = session.get_one(OutboxItem, item_id)
            item.attempts += 1
            item.done_at = now()
