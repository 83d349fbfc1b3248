"""Histories of the past replay on the workflow of today: open cases go on after a deploy (SAFETY.md, workflow evolution)."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.histories.keys import history_converter
from tests.histories.make import FINGERPRINTS, FOLDER, fingerprint
from tests.histories.mutant import PlanBeforeImages
from tests.histories.stories import STORIES
from workflows.case import CaseWorkflow
from workflows.runner import sandboxed

HISTORIES = sorted(path for path in FOLDER.glob("*.json") if path != FINGERPRINTS)


def load(path: Path) -> WorkflowHistory:
    content = json.loads(path.read_text())
    return WorkflowHistory.from_json(content["workflow_id"], content["history"])


def replayer(workflow: type) -> Replayer:
    return Replayer(workflows=[workflow], workflow_runner=sandboxed(), data_converter=history_converter())


def test_every_story_is_committed() -> None:
    assert {path.stem for path in HISTORIES} == set(STORIES)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_history_of_the_past_replays(path: Path) -> None:
    result = await replayer(CaseWorkflow).replay_workflow(load(path), raise_on_replay_failure=False)
    assert result.replay_failure is None


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_workflow_with_two_commands_swapped_is_refused(path: Path) -> None:
    result = await replayer(PlanBeforeImages).replay_workflow(load(path), raise_on_replay_failure=False)
    assert isinstance(result.replay_failure, NondeterminismError)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_history_is_short_enough_to_replay_quickly(path: Path) -> None:
    """SAFETY.md, history size: at most 2,000 events and 2 MB a run; continue-as-new comes far before."""
    assert len(load(path).events) < 500
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_the_fingerprint_is_the_historys(path: Path) -> None:
    assert json.loads(FINGERPRINTS.read_text())[path.stem] == fingerprint(load(path))
