"""Putting the images and documents of a case in order, and naming them."""

from typing import Any

import pytest
from sqlmodel import select

from activities.imaging.image_sets import FileFrozen
from api.arrangement import describe, step
from api.case_arrangement import CaseHome
from api.standing import load_case
from schemas.arrangement_forms import Labels
from schemas.lifecycle import State
from schemas.tables.arrangement import ArrangedItem, FileGroup
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.tables.wires import AuditRow
from tests.activities.imaging import files
from tests.api.imaging_app import Desk


async def with_three(desk: Desk) -> tuple[Case, list[str]]:
    """A case with a study, a photograph and a letter; their ids in the order of arrival."""
    case = desk.open_case()
    await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"), "slice.dcm")
    await desk.upload(case, files.photo(), "smile.jpg")
    await desk.upload(case, files.pdf(), "letter.pdf")
    desk.imaging.ingest(case.id)
    (groups,) = await order_of(desk, case)
    return case, groups


async def asked(desk: Desk, method: str, url: str, body: Any = None, *, person: str = "dentist") -> tuple[int, Any]:
    async with desk.client(person) as client:
        answer = await client.request(method, url, json=body)
        return answer.status_code, answer.json() if answer.content else None


def base(case: Case) -> str:
    return f"/api/v1/cases/{case.id}/arrangement"


async def order_of(desk: Desk, case: Case) -> list[list[str]]:
    """Ids, a list a group; that of no group first."""
    status, arrangement = await asked(desk, "GET", base(case))
    assert status == 200
    return [[item["id"] for item in group["items"]] for group in arrangement["groups"]]


async def test_what_arrived_is_moved_into_groups_and_stays_there(desk: Desk) -> None:
    case, (study, photo, letter) = await with_three(desk)
    status, group = await asked(desk, "POST", f"{base(case)}/groups", {"name": "Before treatment"})
    assert status == 201
    status, _ = await asked(desk, "POST", f"{base(case)}/items/{letter}/move", {"before": study})
    assert (status, await order_of(desk, case)) == (200, [[letter, study, photo], []])
    await asked(desk, "POST", f"{base(case)}/items/{photo}/move", {"group_id": group["id"]})
    await asked(desk, "POST", f"{base(case)}/items/{study}/move", {"group_id": group["id"], "before": photo})
    assert await order_of(desk, case) == [[letter], [study, photo]]
    await desk.upload(case, files.pdf() + b"\n%another\n%%EOF", "second.pdf")
    desk.imaging.ingest(case.id)
    first, second = await order_of(desk, case)
    assert (first[0], len(first), second) == (letter, 2, [study, photo]), "what arrives later comes last"
    assert (await asked(desk, "DELETE", f"{base(case)}/groups/{group['id']}"))[0] == 204
    (alone,) = await order_of(desk, case)
    assert set(alone) >= {study, photo, letter}, "the files stay"


async def test_words_and_teeth_are_kept_sealed_and_audited_without_them(desk: Desk) -> None:
    case, (study, _, _) = await with_three(desk)
    labels = {"title": "Upper right", "description": "Before root filling", "teeth": ["16", "15", "16"]}
    status, arrangement = await asked(desk, "PUT", f"{base(case)}/items/{study}/labels", labels)
    assert status == 200
    (shown,) = [item["labels"] for item in arrangement["groups"][0]["items"] if item["id"] == study]
    assert shown == labels | {"teeth": ["16", "15"]}, "in the order of the arch, each once"
    with desk.world.database.read() as session:
        row = session.exec(select(ArrangedItem)).one()
        assert row.labels is not None
        assert b"Upper right" not in row.labels
        acts = {act.act: act.detail for act in session.exec(select(AuditRow)).all()}
    assert "files.describe" in acts
    assert "Upper right" not in str(acts)


@pytest.mark.parametrize(
    "labels",
    [{"teeth": ["19"]}, {"title": "a\nb"}, {"title": "x" * 256}, {"description": "x" * 1001}, {"colour": "red"}],
)
async def test_labels_that_are_none_are_refused(desk: Desk, labels: dict[str, Any]) -> None:
    case, (study, _, _) = await with_three(desk)
    assert (await asked(desk, "PUT", f"{base(case)}/items/{study}/labels", labels))[0] == 422


async def test_another_cases_things_are_not_here(desk: Desk) -> None:
    case, (study, photo, _) = await with_three(desk)
    other = desk.open_case()
    _, group = await asked(desk, "POST", f"{base(other)}/groups", {"name": "Elsewhere"})
    assert (await asked(desk, "POST", f"{base(other)}/items/{study}/move", {}))[0] == 404
    assert (await asked(desk, "PUT", f"{base(other)}/items/{photo}/labels", {"title": "x"}))[0] == 404
    assert (await asked(desk, "POST", f"{base(case)}/items/{study}/move", {"group_id": group["id"]}))[0] == 404
    assert (await asked(desk, "POST", f"{base(case)}/items/{study}/move", {"before": "fil_unknown"}))[0] == 404
    assert (await asked(desk, "PUT", f"{base(case)}/groups/{group['id']}", {"name": "Mine"}))[0] == 404
    assert (await asked(desk, "DELETE", f"{base(case)}/groups/{group['id']}"))[0] == 404
    with desk.world.database.read() as session:
        assert session.exec(select(FileGroup.case_id)).all() == [other.id]
        assert session.exec(select(ArrangedItem)).all() == []


async def test_what_was_submitted_keeps_its_place_and_its_words(desk: Desk) -> None:
    case, (study, photo, _) = await with_three(desk)
    await asked(desk, "PUT", f"{base(case)}/items/{photo}/labels", {"title": "Smile"})
    desk.freeze(case)
    desk.set_state(case, State.MODIFICATION_REQUESTED, assignee="radiologist")
    await desk.upload(case, files.pdf() + b"\n%added\n%%EOF", "added.pdf")
    desk.imaging.ingest(case.id)
    status, told = await asked(desk, "PUT", f"{base(case)}/items/{photo}/labels", {"title": "Another"})
    assert (status, told["code"]) == (409, "file_frozen")
    assert (await asked(desk, "POST", f"{base(case)}/items/{study}/move", {}))[0] == 409
    _, mine = await asked(desk, "GET", base(case))
    opened = [(item["labels"]["title"], item["is_open"]) for item in mine["groups"][0]["items"]]
    assert opened == [("", False), ("Smile", False), ("", False), ("", True)]
    _, readers = await asked(desk, "GET", base(case), person="radiologist")
    assert [item["labels"]["title"] for item in readers["groups"][0]["items"]] == ["", "Smile", ""], "not the new one"


async def test_a_reader_reads_no_heading_over_what_only_the_practice_sees(desk: Desk) -> None:
    case, (study, photo, _) = await with_three(desk)
    for name, item in (("Before treatment", study), ("Not for you", photo)):
        _, group = await asked(desk, "POST", f"{base(case)}/groups", {"name": name})
        await asked(desk, "POST", f"{base(case)}/items/{item}/move", {"group_id": group["id"]})
    desk.freeze(case)
    with desk.world.database.write() as session:
        session.get_one(StoredFile, photo).first_set = None
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    seen = {}
    for person in ("dentist", "radiologist"):
        _, arrangement = await asked(desk, "GET", base(case), person=person)
        seen[person] = [group["name"] for group in arrangement["groups"]]
    assert seen == {"dentist": [None, "Before treatment", "Not for you"], "radiologist": [None, "Before treatment"]}


async def test_a_heading_over_what_was_submitted_stays_as_it_was_read(desk: Desk) -> None:
    case, (study, _, _) = await with_three(desk)
    ids = [(await asked(desk, "POST", f"{base(case)}/groups", {"name": name}))[1]["id"] for name in ("Before", "New")]
    over, empty = (f"{base(case)}/groups/{group_id}" for group_id in ids)
    await asked(desk, "POST", f"{base(case)}/items/{study}/move", {"group_id": ids[0]})
    assert (await asked(desk, "PUT", over, {"name": "Before treatment"}))[0] == 200
    desk.freeze(case)
    desk.set_state(case, State.RELEASED)
    for method, body in (("PUT", {"name": "Afterwards"}), ("DELETE", None)):
        status, told = await asked(desk, method, over, body)
        assert (status, told["code"]) == (409, "file_frozen")
    assert (await asked(desk, "PUT", empty, {"name": "Late"}))[0] == 200
    assert (await asked(desk, "DELETE", empty))[0] == 204
    _, shown = await asked(desk, "GET", base(case))
    assert [group["name"] for group in shown["groups"]] == [None, "Before treatment"]


async def test_a_move_that_waited_for_a_submission_finds_the_case_as_it_is_then(desk: Desk) -> None:
    case, (study, _, _) = await with_three(desk)
    desk.freeze(case)
    desk.set_state(case, State.ATTENTION)
    world = desk.world
    with world.database.read() as session:
        before = load_case(session, world.keys, case.id, world.person("dentist"))
    desk.set_state(case, State.PROCESSING)
    with pytest.raises(FileFrozen), world.database.write() as session:
        describe(session, CaseHome(before), study, Labels(title="Too late"))
    with pytest.raises(FileFrozen), world.database.write() as session:
        step(session, CaseHome(before), study, up=False)
