"""The anchor: a workflow with nothing in it but one update that runs one normal activity."""

from datetime import timedelta

from temporalio import activity, workflow

BARE_QUEUE = "bare"


@activity.defn(name="bare.nothing")
async def nothing(number: int) -> int:
    return number


@workflow.defn(name="Bare")
class Bare:
    def __init__(self) -> None:
        self._over = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._over)

    @workflow.update
    async def act(self, number: int) -> int:
        return await workflow.execute_activity(nothing, number, start_to_close_timeout=timedelta(seconds=30))

    @workflow.signal
    def end(self) -> None:
        self._over = True
