"""A small story that passes text through every place where Temporal keeps payloads. It stands apart from its test so
that the workflow sandbox can load it."""

import asyncio
from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

SOON = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)


class Told(BaseModel, extra="forbid"):
    text: str
    round: int = 0
    heard: list[str] = []


@activity.defn
async def echo(told: Told) -> Told:
    activity.heartbeat(told.text)
    return told


@activity.defn
async def stumble(text: str) -> None:
    raise ApplicationError(f"cannot read {text}", text, type="Stumbled", non_retryable=True)


@workflow.defn
class Part:
    """A child: returns what it is told, or fails with it."""

    @workflow.run
    async def run(self, told: Told) -> str:
        if told.round:
            raise ApplicationError(f"child refuses {told.text}", told.text)
        await workflow.execute_activity(echo, told, start_to_close_timeout=SOON, summary=told.text)
        return told.text


@workflow.defn
class Story:
    @workflow.init
    def __init__(self, told: Told) -> None:
        self.told = told
        self.over = False

    @workflow.run
    async def run(self, told: Told) -> Told:
        workflow.set_current_details(told.text)
        case = workflow.info().workflow_id.removeprefix("case-")
        if told.round == 0:
            await self._round(told.text, case)
            await workflow.wait_condition(lambda: self.over)
            workflow.continue_as_new(Told(text=told.text, round=1, heard=self.told.heard), memo={"note": told.text})
        await workflow.wait_condition(lambda: self.over)
        return self.told

    async def _round(self, text: str, case: str) -> None:
        await workflow.sleep(timedelta(milliseconds=5), summary=text)
        answer = await workflow.execute_activity(echo, Told(text=text), start_to_close_timeout=SOON, summary=text)
        self.told.heard.append(answer.text)
        answer = await workflow.execute_local_activity(echo, Told(text=text), start_to_close_timeout=SOON)
        self.told.heard.append(answer.text)
        try:
            await workflow.execute_activity(stumble, text, start_to_close_timeout=SOON, retry_policy=ONCE)
        except ActivityError as err:
            self.told.heard.append(str(err.cause))
        for child_id in (f"grant-{case}-1", f"digest-{case}"):
            heard = await workflow.execute_child_workflow(
                Part.run,
                Told(text=text),
                id=child_id,
                memo={"note": text},
                static_summary=text,
                static_details=text,
            )
            self.told.heard.append(heard)
        try:
            await workflow.execute_child_workflow(Part.run, Told(text=text, round=1), id=f"grant-{case}-2")
        except ChildWorkflowError as err:
            self.told.heard.append(str(err.cause))

    @workflow.update
    async def say(self, text: str) -> str:
        await asyncio.sleep(0)
        self.told.heard.append(text)
        return text

    @say.validator
    def check_say(self, text: str) -> None:
        if text.startswith("no "):
            raise ApplicationError(f"refused {text}", text)

    @workflow.signal
    def note(self, told: Told) -> None:
        self.told.heard.append(told.text)

    @workflow.signal
    def finish(self) -> None:
        self.over = True

    @workflow.query
    def get_heard(self, word: str) -> list[str]:
        if word.startswith("no "):
            raise ApplicationError(f"refused {word}")
        return self.told.heard


@workflow.defn
class Bug:
    """A bug of the program, which fails the workflow task with its text."""

    @workflow.run
    async def run(self, told: Told) -> None:
        raise RuntimeError(f"bug with {told.text}")


@workflow.defn
class Daily:
    @workflow.run
    async def run(self, told: Told) -> Told:
        return told
