"""Temporal keeps nothing of a case that can be read without the case's key, and nothing that was moved or changed."""

import asyncio
import base64
import json
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    SerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from infra.codec import ENCODING, SYSTEM_KEY, CaseCodec, data_converter, workflow_of
from infra.keys import CACHE_SECONDS, KeyDestroyed, KeyUnknown, new_data_key
from schemas.ids import case_workflow_id, new_id
from schemas.undecodable import MARK, Undecodable
from tests.infra.codec_story import Bug, Daily, Part, Story, Told, echo, stumble

CANARY = "Zebulon-Quatremains"
QUEUE = "codec"


class TableOfKeys:
    """Keys as the database would hold them, with a count of how often they were asked for."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes | None] = {SYSTEM_KEY: new_data_key()}
        self.asked = 0
        self.away = False

    def new_case(self) -> str:
        case_id = new_id("case")
        self.keys[f"key_of_{case_id}"] = new_data_key()
        return case_id

    def destroy(self, case_id: str) -> None:
        self.keys[f"key_of_{case_id}"] = None

    def key(self, key_id: str) -> bytes:
        self.asked += 1
        if self.away:
            raise ConnectionError("database away")
        if key_id not in self.keys:
            raise KeyUnknown
        key = self.keys[key_id]
        if key is None:
            raise KeyDestroyed
        return key

    def key_for_case(self, case_id: str) -> tuple[str, bytes]:
        return f"key_of_{case_id}", self.key(f"key_of_{case_id}")


def in_workflow(workflow_id: str) -> SerializationContext:
    return WorkflowSerializationContext(namespace="default", workflow_id=workflow_id)


def in_activity(workflow_id: str | None) -> SerializationContext:
    return ActivitySerializationContext(
        namespace="default",
        activity_id="1",
        activity_type="echo",
        activity_task_queue=QUEUE,
        workflow_id=workflow_id,
        workflow_type="Story",
        is_local=False,
    )


def clear(text: str = CANARY) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


def mark_of(payload: Payload) -> dict[str, object]:
    assert payload.metadata["encoding"] == b"json/plain"
    value = json.loads(payload.data)
    assert Undecodable.model_validate(value)
    assert value[MARK] is True
    return dict(value)


@pytest.fixture
def keys() -> TableOfKeys:
    return TableOfKeys()


@pytest.fixture
def codec(keys: TableOfKeys) -> CaseCodec:
    return CaseCodec(keys)


async def test_a_case_its_activities_and_its_grants_share_a_key_but_not_their_payloads(
    keys: TableOfKeys, codec: CaseCodec
) -> None:
    case_id = keys.new_case()
    workflow_id = case_workflow_id(case_id)
    grant_id = f"grant-{workflow_id.removeprefix('case-')}-9"
    for context in (in_workflow(workflow_id), in_activity(workflow_id), in_workflow(grant_id), in_workflow("digest-1")):
        [sealed] = await codec.with_context(context).encode([clear()])
        assert sealed.metadata["encoding"] == ENCODING
        assert CANARY.encode() not in sealed.SerializeToString()
        assert await codec.with_context(context).decode([sealed]) == [clear()]
        assert await codec.decode([sealed]) == [clear()], "a decode endpoint has no context"
    [sealed] = await codec.with_context(in_workflow(workflow_id)).encode([clear()])
    assert sealed.metadata["odontoflow-key"].decode() == f"key_of_{case_id}"
    assert await codec.with_context(in_activity(workflow_id)).decode([sealed]) == [clear()]
    assert mark_of((await codec.with_context(in_workflow(grant_id)).decode([sealed]))[0])["reason"] == (
        "of_another_workflow"
    )


async def test_the_same_value_is_never_the_same_bytes_twice(keys: TableOfKeys, codec: CaseCodec) -> None:
    bound = codec.for_workflow(case_workflow_id(keys.new_case()))
    first, second = await bound.encode([clear(), clear()])
    assert first.data != second.data


async def test_a_payload_moved_to_another_workflow_is_refused_even_with_its_metadata_rewritten(
    keys: TableOfKeys, codec: CaseCodec
) -> None:
    mine, other = case_workflow_id(keys.new_case()), case_workflow_id(keys.new_case())
    [sealed] = await codec.for_workflow(mine).encode([clear()])
    assert mark_of((await codec.for_workflow(other).decode([sealed]))[0])["reason"] == "of_another_workflow"
    for field, value in (
        ("odontoflow-workflow", other),
        ("odontoflow-key", SYSTEM_KEY),
        ("odontoflow-key", f"key_of_case_{other.removeprefix('case-')}"),
    ):
        moved = Payload()
        moved.CopyFrom(sealed)
        moved.metadata[field] = value.encode()
        target = moved.metadata["odontoflow-workflow"].decode()
        assert mark_of((await codec.for_workflow(target).decode([moved]))[0])["reason"] == "tampered"
        assert mark_of((await codec.decode([moved]))[0])["reason"] == "tampered"
    assert workflow_of(sealed) == mine
    assert workflow_of(clear()) is None


async def test_every_flipped_bit_and_every_cut_is_refused(keys: TableOfKeys, codec: CaseCodec) -> None:
    workflow_id = case_workflow_id(keys.new_case())
    [sealed] = await codec.for_workflow(workflow_id).encode([clear("x")])
    for place in range(len(sealed.data) * 8):
        data = bytearray(sealed.data)
        data[place // 8] ^= 1 << place % 8
        changed = Payload(metadata=sealed.metadata, data=bytes(data))
        assert mark_of((await codec.for_workflow(workflow_id).decode([changed]))[0])["reason"] == "tampered"
    for length in range(len(sealed.data)):
        cut = Payload(metadata=sealed.metadata, data=sealed.data[:length])
        assert mark_of((await codec.for_workflow(workflow_id).decode([cut]))[0])["reason"] == "tampered"


async def test_a_destroyed_key_leaves_marked_values_and_lets_nothing_out_in_the_clear(keys: TableOfKeys) -> None:
    now = 0.0
    codec = CaseCodec(keys, clock=lambda: now)
    case_id = keys.new_case()
    bound = codec.for_workflow(case_workflow_id(case_id))
    sealed = await bound.encode([clear()])
    keys.destroy(case_id)
    now = CACHE_SECONDS
    assert mark_of((await bound.decode(sealed))[0]) == {
        MARK: True,
        "key_id": f"key_of_{case_id}",
        "reason": "key_destroyed",
    }
    with pytest.raises(KeyDestroyed):
        await bound.encode([clear()])


async def test_a_key_forgotten_in_this_process_stops_at_once(keys: TableOfKeys, codec: CaseCodec) -> None:
    case_id = keys.new_case()
    bound = codec.for_workflow(case_workflow_id(case_id))
    sealed = await bound.encode([clear()])
    keys.destroy(case_id)
    assert await bound.decode(sealed) == [clear()]
    codec.forget(f"key_of_{case_id}")
    assert mark_of((await bound.decode(sealed))[0])["reason"] == "key_destroyed"


async def test_only_the_first_payload_of_a_while_asks_the_database(keys: TableOfKeys) -> None:
    now = 0.0
    codec = CaseCodec(keys, clock=lambda: now)
    workflow_id = case_workflow_id(keys.new_case())
    for _ in range(20):
        sealed = await codec.with_context(in_workflow(workflow_id)).encode([clear(), clear()])
        await codec.with_context(in_activity(workflow_id)).decode(sealed)
    assert keys.asked == 1
    now = CACHE_SECONDS
    await codec.for_workflow(workflow_id).decode(sealed)
    assert keys.asked == 2


async def test_a_database_that_is_away_is_an_error_and_never_a_marked_value(keys: TableOfKeys) -> None:
    codec = CaseCodec(keys, cache_seconds=0)
    bound = codec.for_workflow(case_workflow_id(keys.new_case()))
    sealed = await bound.encode([clear()])
    keys.away = True
    with pytest.raises(ConnectionError):
        await bound.decode(sealed)
    keys.away = False
    assert await bound.decode(sealed) == [clear()]


async def test_payloads_that_were_never_encrypted_pass_only_where_that_is_permitted(keys: TableOfKeys) -> None:
    workflow_id = case_workflow_id(keys.new_case())
    [marked] = await CaseCodec(keys).for_workflow(workflow_id).decode([clear()])
    assert mark_of(marked)["reason"] == "not_encrypted"
    assert CANARY.encode() not in marked.data
    assert await CaseCodec(keys, accept_plain=True).for_workflow(workflow_id).decode([clear()]) == [clear()]


async def test_a_schedules_runs_read_what_the_schedule_was_made_with(keys: TableOfKeys, codec: CaseCodec) -> None:
    sealed = await codec.with_context(in_workflow("digest")).encode([clear()])
    assert await codec.for_workflow("digest-2026-11-03T06:00:00Z").decode(sealed) == [clear()]
    assert Undecodable.model_validate_json((await codec.for_workflow("digest-2").decode(sealed))[0].data)
    dated = case_workflow_id(keys.new_case())
    sealed = await codec.for_workflow(dated).encode([clear()])
    assert Undecodable.model_validate_json(
        (await codec.for_workflow(f"{dated}-2026-11-03T06:00:00Z").decode(sealed))[0].data
    )


# ── on Temporal's own server ────────────────────────────────────────────────────────────────────────────────────────


class Engine:
    def __init__(self, client: Client, keys: TableOfKeys, converter: DataConverter, database: Path) -> None:
        self.client = client
        self.keys = keys
        self.converter = converter
        self.database = database
        self.raw = Client(client.service_client)

    async def start(self, text: str = CANARY) -> tuple[str, WorkflowHandle[Story, Told]]:
        case_id = self.keys.new_case()
        handle = await self.client.start_workflow(
            Story.run,
            Told(text=text),
            id=case_workflow_id(case_id),
            task_queue=QUEUE,
            memo={"note": text},
            static_summary=text,
            static_details=text,
        )
        return case_id, handle

    async def stored(self, workflow_id: str, run_id: str | None = None) -> str:
        """All of a run's history as the server gives it, once as bytes and once as JSON."""
        history = await self.raw.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        raw = b"".join(event.SerializeToString() for event in history.events)
        return raw.decode("latin-1") + history.to_json()

    async def encodings(self, workflow_id: str, run_id: str | None) -> set[tuple[str, bool]]:
        """Encoding of every payload of a run, and whether it stands in a marker: Temporal's core writes those itself,
        with the ids and times of local activities and the names of patches."""
        history = await self.raw.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        found: set[tuple[str, bool]] = set()

        def walk(value: object, in_marker: bool) -> None:
            if isinstance(value, dict):
                encoding = (value.get("metadata") or {}).get("encoding") if "metadata" in value else None
                if encoding:
                    found.add((base64.b64decode(encoding).decode(), in_marker))
                for name, inner in value.items():
                    walk(inner, in_marker or name == "markerRecordedEventAttributes")
            elif isinstance(value, list):
                for inner in value:
                    walk(inner, in_marker)

        walk(json.loads(history.to_json()), False)
        return found

    def file(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.database.parent.glob(f"{self.database.name}*"))


@pytest.fixture(scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    keys = TableOfKeys()
    converter = data_converter(keys, cache_seconds=0.2)
    database = tmp_path_factory.mktemp("temporal") / "temporal.db"
    binary = shutil.which("temporal", path=Path(sys.executable).parent) or shutil.which("temporal")
    assert binary, "the temporal command is not installed (requirements/dev.txt has it)"
    async with (
        await WorkflowEnvironment.start_local(
            data_converter=converter,
            dev_server_existing_path=binary,
            dev_server_database_filename=str(database),
            dev_server_log_level="error",
        ) as environment,
        Worker(
            environment.client,
            task_queue=QUEUE,
            workflows=[Story, Part, Bug, Daily],
            activities=[echo, stumble],
        ),
    ):
        yield Engine(environment.client, keys, converter, database)


async def test_a_whole_story_is_readable_to_us_and_to_nobody_else(engine: Engine) -> None:
    _, handle = await engine.start()
    assert await handle.execute_update(Story.say, CANARY) == CANARY
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(Story.say, f"no {CANARY}")
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.message == f"refused no {CANARY}"
    await handle.signal(Story.note, Told(text=f"noted {CANARY}"))
    with pytest.raises(WorkflowQueryFailedError) as query:
        await handle.query(Story.get_heard, f"no {CANARY}")
    assert CANARY not in str(query.value)
    await handle.signal(Story.finish)
    first_run = handle.first_execution_run_id
    for _ in range(200):
        description = await handle.describe()
        if description.run_id != first_run:
            break
        await asyncio.sleep(0.05)
    assert await description.memo() == {"note": CANARY}
    assert CANARY in await handle.query(Story.get_heard, "yes")
    await handle.signal(Story.finish)
    told = await handle.result()
    assert told.round == 1
    assert sorted(told.heard) == sorted(
        [
            CANARY,
            f"noted {CANARY}",
            CANARY,
            CANARY,
            f"Stumbled: cannot read {CANARY}",
            CANARY,
            CANARY,
            f"child refuses {CANARY}",
        ]
    )

    case = handle.id.removeprefix("case-")
    runs = [(handle.id, first_run), (handle.id, description.run_id)]
    runs += [(name, None) for name in (f"grant-{case}-1", f"grant-{case}-2", f"digest-{case}")]
    for workflow_id, run_id in runs:
        stored = await engine.stored(workflow_id, run_id)
        assert CANARY not in stored
        encodings = await engine.encodings(workflow_id, run_id)
        assert ("binary/odontoflow", False) in encodings
        assert encodings <= {("binary/odontoflow", False), ("binary/odontoflow", True), ("json/plain", True)}

    history = await engine.client.get_workflow_handle(handle.id, run_id=first_run).fetch_history()
    await Replayer(workflows=[Story], data_converter=engine.converter).replay_workflow(history)


async def test_failures_keep_their_text_to_themselves(engine: Engine) -> None:
    case_id = engine.keys.new_case()
    failed = await engine.client.start_workflow(
        Part.run, Told(text=CANARY, round=1), id=case_workflow_id(case_id), task_queue=QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failure:
        await failed.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.message == f"child refuses {CANARY}"
    assert failure.value.cause.details == (CANARY,)
    stored = await engine.stored(failed.id)
    assert "Encoded failure" in stored
    assert CANARY not in stored

    bug = await engine.client.start_workflow(
        Bug.run, Told(text=CANARY), id=case_workflow_id(engine.keys.new_case()), task_queue=QUEUE
    )
    for _ in range(200):
        events = (await engine.raw.get_workflow_handle(bug.id).fetch_history()).events
        if any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in events):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the workflow task did not fail")
    assert CANARY not in await engine.stored(bug.id)
    await bug.terminate()


async def test_the_servers_file_has_no_trace_of_the_text(engine: Engine) -> None:
    _, handle = await engine.start()
    await handle.execute_update(Story.say, CANARY)
    control = f"control-{secrets.token_hex(8)}"
    plain = await engine.raw.start_workflow("Daily", {"text": control}, id=new_id("cmd"), task_queue="nobody")
    for _ in range(100):
        if control.encode() in engine.file():
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the search does not find what is there in the clear")
    assert handle.id.encode() in engine.file()
    assert CANARY.encode() not in engine.file()
    await plain.terminate()
    await handle.terminate()


async def test_a_foreign_signal_and_a_foreign_update_do_nothing(engine: Engine) -> None:
    _, handle = await engine.start("quiet")
    raw = engine.raw.get_workflow_handle(handle.id)
    await raw.signal("note", {"text": "injected", "round": 0, "heard": []})
    with pytest.raises(WorkflowUpdateFailedError):
        await raw.execute_update("say", "injected")
    _, other = await engine.start("other")
    [stolen] = await engine.converter.with_context(in_workflow(other.id)).encode([Told(text="stolen")])
    await raw.signal("note", stolen)
    assert await handle.execute_update(Story.say, "mine") == "mine"
    heard = await handle.query(Story.get_heard, "yes")
    assert "mine" in heard
    assert not {"injected", "stolen"} & set(heard)
    await handle.terminate()
    await other.terminate()


async def test_after_the_key_is_destroyed_a_closed_history_is_unreadable(engine: Engine) -> None:
    case_id = engine.keys.new_case()
    handle = await engine.client.start_workflow(
        Part.run, Told(text=CANARY), id=case_workflow_id(case_id), task_queue=QUEUE
    )
    assert await handle.result() == CANARY
    engine.keys.destroy(case_id)
    await asyncio.sleep(0.25)
    result = await engine.client.get_workflow_handle(handle.id).result()
    assert Undecodable.model_validate(result)
    with pytest.raises(KeyDestroyed):
        await handle.signal("note", CANARY)


async def test_a_schedule_starts_workflows_that_can_read_their_input(engine: Engine) -> None:
    name = f"daily-{secrets.token_hex(4)}"
    schedule = await engine.client.create_schedule(
        name,
        Schedule(
            action=ScheduleActionStartWorkflow(Daily.run, Told(text=CANARY), id=name, task_queue=QUEUE),
            spec=ScheduleSpec(),
        ),
        trigger_immediately=True,
    )
    for _ in range(100):
        recent = (await schedule.describe()).info.recent_actions
        if recent:
            break
        await asyncio.sleep(0.05)
    action = recent[0].action
    started = engine.client.get_workflow_handle(action.workflow_id, result_type=Told)  # type: ignore[attr-defined]
    told: Told = await asyncio.wait_for(started.result(rpc_timeout=timedelta(seconds=10)), 10)
    assert told.text == CANARY
    assert CANARY not in await engine.stored(started.id)
    await schedule.delete()
