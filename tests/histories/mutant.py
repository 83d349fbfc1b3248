"""The case's workflow with two commands swapped: what a careless edit would make of it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from schemas.decisions import after_processing, decide_step
    from schemas.messages import BillingInput, BillingOutcome, CaseStart, ProcessInput, ProcessOutcome
from workflows import policies
from workflows.case import CaseWorkflow, Subject


@workflow.defn(name="Case")
class PlanBeforeImages(CaseWorkflow):
    """Asks for the practice's plan before it has the images checked."""

    @workflow.init
    def __init__(self, start: CaseStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: CaseStart) -> None:
        await super().run(start)

    async def _process(self, subject: Subject) -> None:
        case_id = self.state.case_id
        billing = await workflow.execute_activity(
            "billing.check", BillingInput(case_id=case_id), result_type=BillingOutcome, **policies.QUICK
        )
        outcome = await workflow.execute_activity(
            "imaging.process",
            ProcessInput(case_id=case_id, image_set=self.state.image_set),
            result_type=ProcessOutcome,
            heartbeat_timeout=policies.IMAGING_HEARTBEAT,
            **policies.IMAGING,
        )
        async with self._lock:
            step = after_processing(self.state, outcome, covered=billing.covered)
            await self._apply_own(decide_step(self.state, step, workflow.now()))
