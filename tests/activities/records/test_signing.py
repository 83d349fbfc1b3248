"""A signature takes in the case as it is: its marks, pictures and images, and who it is about (invariants 7 and 8)."""

import hashlib
import json
from datetime import date
from pathlib import Path

from sqlmodel import col, select

from activities.documents.assembly import assemble, signed_versions
from activities.imaging.image_sets import image_set_hash
from activities.records.covered import marks_of, pictures_of
from activities.records.opening import demographics_of
from infra.sealing import column_aad, seal_json
from schemas.clinical import Sex
from schemas.lifecycle import Action
from schemas.messages import CommandFacts
from schemas.signed_report import report_hash
from schemas.tables.case import Case
from schemas.tables.people import Organization, Patient
from schemas.tables.wires import AuditRow
from tests.activities.records.signed import (
    MARKS,
    amend,
    case_in_review,
    draw,
    sign,
    signed_case,
    took,
    version_rows,
    write_draft,
)
from tests.activities.records.steps import take
from tests.world import World, sqlite_world


def edit(world: World, case: Case, **changes: object) -> None:
    """The record as an edit leaves it that nothing refused."""
    with world.database.write() as session:
        patient = session.get_one(Patient, case.patient_id)
        person = demographics_of(world.keys, patient).model_copy(update=changes)
        place = column_aad("patient", patient.id, "demographics")
        patient.demographics = seal_json(world.keys.data_key(patient.key_id), person.model_dump(mode="json"), place)


def test_signing_a_case_takes_its_own_marks_pictures_and_image_set(world: World) -> None:
    case = signed_case(world)
    (row,) = version_rows(world, case)
    with world.database.read() as session:
        (version,) = signed_versions(session, world.keys, case.id)
        shown = [image.image_id for image in version.content.key_images]
        pictures = pictures_of(session, world.keys, case.id, shown)
        files = image_set_hash(session, case.id, 1)
        acts = session.exec(select(AuditRow).where(AuditRow.scope == case.id).order_by(col(AuditRow.id))).all()
    marks = json.dumps(MARKS, sort_keys=True, separators=(",", ":")).encode()
    covered = version.covered
    assert covered.marks == hashlib.sha256(marks).hexdigest()
    assert [(each.image_id, each.sha256) for each in covered.pictures] == [
        (image_id, hashlib.sha256(data or b"").hexdigest()) for image_id, data in pictures
    ]
    assert len(covered.pictures) == 1
    assert (covered.image_set, covered.image_set_hash) == (1, files)
    assert version.report_hash == row.report_hash == report_hash(case.id, version)
    announced = json.loads(acts[-1].detail)
    assert (acts[-1].act, announced["version"], announced["report_hash"]) == ("case.sign", 1, row.report_hash)


def test_another_mark_picture_or_image_is_another_signature(tmp_path: Path) -> None:
    """The same words over something else to look at."""
    with sqlite_world(tmp_path) as world:
        covered = []
        for marks in ([], MARKS):
            case = case_in_review(world)
            draw(world, case, marks)
            took(sign(world, case, write_draft(world, case)))
            with world.database.read() as session:
                covered.append(signed_versions(session, world.keys, case.id)[0].covered)
    assert covered[0].marks != covered[1].marks
    assert covered[0].image_set_hash != covered[1].image_set_hash


def test_a_signed_version_goes_on_naming_the_patient_and_the_practice_that_it_was_signed_for(world: World) -> None:
    case = signed_case(world)
    edit(world, case, given_name="Anne", phone="1", patient_number="77")
    with world.database.write() as session:
        practice = session.get_one(Organization, case.practice_id)
        practice.name, practice.address, practice.tooth_notation = "Sold", "Elsewhere 1", "universal"
        document = assemble(session, world.keys, case.id)
    assert (document.patient.name, document.patient.patient_id) == ("Anna Moreau", "")
    assert (document.patient.birth_date, document.patient.sex) == (date(1980, 5, 4), Sex.FEMALE)
    assert (document.letterhead.name, document.letterhead.address_lines) == ("Practice", ())
    assert (document.notation.value, document.referrer) == ("fdi", "Dr Laura Keller")
    assert document.case_reference == case.number
    assert document.reading_group is not None and document.reading_group.name == "Group"
    amend(world, case)
    took(sign(world, case, write_draft(world, case, impression="The left side.")))
    with world.database.read() as session:
        first, second = (assemble(session, world.keys, case.id, version) for version in (1, 2))
    assert (first.patient.name, first.letterhead.name) == ("Anna Moreau", "Practice")
    assert (second.patient.name, second.patient.patient_id, second.letterhead.name) == ("Anne Moreau", "77", "Sold")


def test_nobody_signs_for_a_patient_whose_record_the_images_contradict(world: World) -> None:
    """An edit is refused while a case is open; a case that was closed and reopened is looked at here."""
    case = case_in_review(world)
    draft = write_draft(world, case)
    edit(world, case, birth_date=date(1991, 2, 3))
    refused = sign(world, case, draft)
    assert (refused.applied, refused.code) == (False, "images_of_another")
    assert version_rows(world, case) == []


def test_marks_of_an_amendment_that_is_discarded_are_those_that_were_signed(world: World) -> None:
    case = signed_case(world)
    amend(world, case)
    draw(world, case, [])
    took(take(world, case.id, "radiologist", Action.DISCARD_AMENDMENT))
    with world.database.read() as session:
        assert json.loads(marks_of(session, world.keys, case.id)) == MARKS


def test_each_version_keeps_its_own_marks(world: World) -> None:
    case = signed_case(world)
    amend(world, case)
    draw(world, case, [])
    took(sign(world, case, write_draft(world, case, impression="The left side.")))
    with world.database.read() as session:
        first, second = signed_versions(session, world.keys, case.id)
    assert (
        first.covered.marks
        == hashlib.sha256(json.dumps(MARKS, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    )
    assert second.covered.marks == hashlib.sha256(b"[]").hexdigest()


def test_a_withdrawn_report_names_who_withdrew_it(world: World) -> None:
    """Not the author: the case may have gone to another reader since."""
    case = signed_case(world)
    amend(world, case)
    took(
        take(
            world,
            case.id,
            "scheduler",
            Action.REASSIGN,
            CommandFacts(radiologist_id=world.user_id("radiologist2")),
            radiologist_id=world.user_id("radiologist2"),
        )
    )
    took(take(world, case.id, "radiologist2", Action.DISCARD_AMENDMENT))
    took(take(world, case.id, "radiologist2", Action.ENTER_IN_ERROR, reason="Another patient's images.", password="p"))
    with world.database.read() as session:
        document = assemble(session, world.keys, case.id, 1)
    assert document.withdrawal is not None and document.report is not None
    assert document.report.author.name == "Dr Radiologist"
    assert (document.withdrawal.name, document.withdrawal.reason) == ("Dr Radiologist2", "Another patient's images.")
