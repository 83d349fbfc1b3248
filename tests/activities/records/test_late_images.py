"""What the record makes of images that come after the signature: the next version says so and covers them (invariant 7)."""

from datetime import date

import pytest
from sqlmodel import col, select

from activities.documents.assembly import signed_versions
from activities.imaging.image_sets import files_of_set, image_set_hash
from activities.imaging.verdict import judge
from activities.records.verification import verify_versions
from infra.database import now
from schemas.lifecycle import Action
from schemas.messages import CommandFacts, SystemStep
from schemas.signed_report import SignedReport
from schemas.sla import AmendmentKind
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, StoredFile
from schemas.tables.wires import BlobRemoval
from tests.activities.records.signed import amend, case_in_review, sign, signed_case, took, version_rows, write_draft
from tests.activities.records.steps import step, take
from tests.activities.records.test_signing import edit
from tests.checked_images import add_checked_image
from tests.world import World

MATCHED = IdentityStanding.MATCHED


def add_late(world: World, case: Case, **image: str) -> str:
    """A checked image that the practice adds; the file's id."""
    file_id = add_checked_image(world, case, **image).file_id
    with world.database.write() as session:
        session.get_one(StoredFile, file_id).first_set = None
    took(take(world, case.id, "staff", Action.ADD_IMAGES))
    return file_id


def offered(world: World) -> Case:
    """A signed case whose late image was checked and is with the radiologist."""
    case = signed_case(world)
    add_late(world, case)
    took(step(world, case.id, SystemStep(action=Action.OFFER_LATE_IMAGES, identity=MATCHED)))
    return world.case(case.id)


def keep(world: World, case: Case) -> None:
    facts = CommandFacts(image_set=world.case(case.id).image_set)
    took(take(world, case.id, "radiologist", Action.KEEP_REPORT, facts, password="p", image_set=facts.image_set))


def versions(world: World, case: Case) -> list[SignedReport]:
    with world.database.read() as session:
        return list(signed_versions(session, world.keys, case.id))


def test_that_a_report_stands_is_a_version_which_says_so_and_covers_the_added_images(world: World) -> None:
    case = offered(world)
    keep(world, case)
    first, second = versions(world, case)
    assert second.content == first.content
    assert (second.kind, second.supersedes) == (AmendmentKind.APPENDED, 1)
    (addendum,) = second.addenda
    assert addendum.text.startswith("1 file was added after version 1 was signed, the last on ")
    assert addendum.text.endswith("The report stands as it was signed.")
    assert second.reason == "Images were added after the signature."
    with world.database.read() as session:
        hashes = [image_set_hash(session, case.id, number) for number in (1, 2)]
        assert len(files_of_set(session, case.id, 2)) == len(files_of_set(session, case.id, 1)) + 1
    assert [(each.covered.image_set, each.covered.image_set_hash) for each in (first, second)] == [
        (1, hashes[0]),
        (2, hashes[1]),
    ]
    assert [row.version for row in version_rows(world, case)] == [1, 2]
    assert list(verify_versions(world.database, world.keys)) == [], "and the first is still what was signed"


def test_a_version_covers_what_was_verified_and_no_more(world: World) -> None:
    """An amendment that was begun while late images were not checked yet."""
    case = signed_case(world)
    add_late(world, case, name="Other^Person", born="19700101")
    amend(world, world.case(case.id))
    took(sign(world, case, write_draft(world, case, impression="The left side.")))
    assert [each.covered.image_set for each in versions(world, case)] == [1, 1]
    assert list(verify_versions(world.database, world.keys)) == []


def test_taking_late_images_out_leaves_the_signed_set_and_lets_go_of_their_files(world: World) -> None:
    case = signed_case(world)
    file_id = add_late(world, case, name="Other^Person", born="19700101")
    took(step(world, case.id, SystemStep(action=Action.HOLD_LATE_IMAGES, identity=IdentityStanding.MISMATCHED)))
    took(take(world, case.id, "dentist", Action.REMOVE_LATE_IMAGES))
    with world.database.read() as session:
        assert session.get_one(StoredFile, file_id).state == "removed"
        assert session.exec(select(Instance).where(Instance.file_id == file_id)).first() is None
        assert session.get(BlobRemoval, file_id) is not None
        assert image_set_hash(session, case.id, 1) == image_set_hash(session, case.id, 2)
    assert list(verify_versions(world.database, world.keys)) == []


def test_nobody_lets_a_report_stand_for_a_patient_whom_the_images_contradict(world: World) -> None:
    case = offered(world)
    edit(world, case, birth_date=date(1991, 2, 3))
    facts = CommandFacts(image_set=2)
    refused = take(world, case.id, "radiologist", Action.KEEP_REPORT, facts, password="p", image_set=2)
    assert (refused.applied, refused.code) == (False, "images_of_another")
    assert len(version_rows(world, case)) == 1


@pytest.mark.parametrize(
    ("kind", "state", "half"),
    [("document", "ready", 0), ("document", "stored", 1), ("photo", "ready", 1), ("unknown", "stored", 1)],
)
def test_only_checked_documents_stop_nobody(world: World, kind: str, state: str, half: int) -> None:
    case = case_in_review(world)
    world.add_file(case, kind="document", state="ready")
    world.add_file(case, kind=kind, state=state)
    result = take(world, case.id, "dentist", Action.ADD_IMAGES)
    assert result.new_images == bool(half)
    assert world.case(case.id).state == ["in_review", "processing"][half]
    with world.database.read() as session:
        sets = session.exec(select(StoredFile.first_set).where(StoredFile.case_id == case.id)).all()
    assert sorted(number or 0 for number in sets)[-2:] == [2, 2]


def test_what_was_added_is_judged_by_itself_and_with_all_the_rest(world: World) -> None:
    """Readable is what came; whose it is, the whole set must say."""
    case = signed_case(world)
    add_late(world, case, name="Other^Person", born="19700101")
    with world.database.write() as session:
        row = session.get_one(Case, case.id)
        foreign = judge(session, world.keys, row, 2, at=now(), beyond=1)
        for file in session.exec(
            select(StoredFile).where(StoredFile.case_id == case.id, col(StoredFile.first_set) == 2)
        ):
            file.state = "unreadable"
        session.flush()
        broken = judge(session, world.keys, row, 2, at=now(), beyond=1)
    assert (foreign.readable, foreign.identity) == (1, IdentityStanding.MISMATCHED)
    assert (broken.readable, broken.identity) == (0, MATCHED)
