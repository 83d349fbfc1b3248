"""Whatever is changed of a signed version, of its marks, pictures or images, is found and named (invariants 7 and 8)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, select

from activities.records.covered import drawn
from activities.records.signing import version_place
from activities.records.verification import verify_version, verify_versions
from infra.blobs.local import LocalBlobStore
from infra.sealing import column_aad, open_json, open_sealed, seal, seal_json
from schemas.lifecycle import Action
from schemas.signed_report import SignedReport, report_hash
from schemas.tables.case import Case
from schemas.tables.imaging import AnnotationSet, KeyImage, StoredFile
from schemas.tables.report import ReportVersion
from schemas.tables.wires import DataKey
from tests.activities.records.signed import (
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
from tests.schemas.leaves import altered, leaves
from tests.world import World, sqlite_world

Signed = tuple[World, Case]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    """One signed case for all; each test puts back what it changed."""
    with sqlite_world(tmp_path_factory.mktemp("signed")) as world:
        case = signed_case(world)
        assert faults(world) == []
        yield world, case
        assert faults(world) == [], "a test has not put back what it changed"


def faults(world: World, blobs: LocalBlobStore | None = None) -> list[tuple[str, str]]:
    return [(each.where, each.what) for each in verify_versions(world.database, world.keys, blobs)]


def the(session: Session, table: type[SQLModel], case: Case) -> Any:
    """The case's first row in a table."""
    return session.exec(select(table).where(table.case_id == case.id)).first()  # type: ignore[attr-defined]


@contextmanager
def changed(world: World, case: Case, table: type[SQLModel], change: Callable[[Any], None]) -> Iterator[None]:
    """As somebody with the database's password does, and back."""
    with world.database.write() as session:
        row = the(session, table, case)
        before = {name: getattr(row, name) for name in table.model_fields}
        identity = before["id"] if "id" in before else before["case_id"]
        change(row)
    try:
        yield
    finally:
        with world.database.write() as session:
            row = session.get_one(table, identity)
            for name, value in before.items():
                setattr(row, name, value)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def put(name: str, value: Any) -> Callable[[Any], None]:
    return lambda row: setattr(row, name, value)


def test_every_column_of_a_version_is_compared(signed: Signed) -> None:
    world, case = signed
    (row,) = version_rows(world, case)
    other: dict[str, Any] = {
        "case_id": world.add_case().id,
        "version": 2,
        "kind": "corrected",
        "document": flipped(row.document, -1 % len(row.document)),
        "report_hash": "0" * 64,
        "marks": flipped(row.marks, -1 % len(row.marks)),
        "author_id": world.user_id("radiologist2"),
        "approver_id": world.user_id("radiologist2"),
        "command_id": "cmd_other",
        "signed_at": row.signed_at + timedelta(microseconds=1),
    }
    assert set(other) == set(ReportVersion.model_fields) - {"id"}
    for name, value in other.items():
        with changed(world, case, ReportVersion, put(name, value)):
            found = faults(world)
        assert found, f"another {name} was not found"
        assert all(where.startswith("case_") for where, _ in found)


def test_every_byte_of_what_a_version_keeps_counts(signed: Signed) -> None:
    world, case = signed
    (row,) = version_rows(world, case)
    for name in ("document", "marks"):
        sealed = getattr(row, name)
        for place in range(0, len(sealed), max(1, len(sealed) // 150)):
            torn = row.model_copy(update={name: flipped(sealed, place)})
            with world.database.read() as session:
                assert verify_version(session, world.keys, torn), f"byte {place} of {name}"


def test_every_field_counts_for_somebody_who_has_the_key_too(signed: Signed) -> None:
    """The document is sealed anew with one thing said otherwise."""
    world, case = signed
    (row,) = version_rows(world, case)
    key = world.keys.data_key(case.key_id)
    written = open_json(world.keys, row.document, version_place(row.id, "document"))
    paths = list(leaves(written))
    assert len(paths) > 80
    with world.database.read() as session:
        for path in paths:
            document = seal_json(key, altered(written, path), version_place(row.id, "document"))
            forged = row.model_copy(update={"document": document})
            assert verify_version(session, world.keys, forged), f"{path} was not found"


def test_a_forger_who_computes_the_hash_anew_is_betrayed_by_the_audit_trail(signed: Signed) -> None:
    world, case = signed
    (row,) = version_rows(world, case)
    key = world.keys.data_key(case.key_id)
    report = SignedReport.model_validate(open_json(world.keys, row.document, version_place(row.id, "document")))
    content = report.content.model_copy(update={"impression": "Nothing to be seen."})
    forged = report.model_copy(update={"content": content})
    forged = forged.model_copy(update={"report_hash": report_hash(case.id, forged)})
    document = seal_json(key, forged.model_dump(mode="json"), version_place(row.id, "document"))

    def forge(row: ReportVersion) -> None:
        row.document, row.report_hash = document, forged.report_hash

    with changed(world, case, ReportVersion, forge):
        assert faults(world) == [(f"{case.id} version 1", "the audit trail says otherwise")]


def test_other_marks_pictures_and_files_are_named(signed: Signed) -> None:
    world, case = signed
    key = world.keys.data_key(case.key_id)
    (row,) = version_rows(world, case)
    with world.database.read() as session:
        picture = the(session, KeyImage, case)
        shown = the(session, AnnotationSet, case)
    place = column_aad("key_image", picture.id, "image")
    jpeg = open_sealed(world.keys, picture.image, place)
    marks = open_sealed(world.keys, row.marks, version_place(row.id, "marks"))
    content = drawn(world.keys, shown)
    no_marks = seal_json(key, {**content, "annotations": []}, column_aad("annotation_set", case.id, "content"))
    other_marks = seal(key, marks.replace(b"3.25", b"3.26"), version_place(row.id, "marks"))
    where = f"{case.id} version 1"
    shown_otherwise = (where, "the marks that are shown are not those that were signed")
    set_otherwise = [(where, "the files of image set 1 are not those that were signed")]
    for table, change, found in (
        (
            ReportVersion,
            put("marks", other_marks),
            [(where, "its marks are not those that were signed"), shown_otherwise],
        ),
        (AnnotationSet, put("content", no_marks), [shown_otherwise]),
        (
            KeyImage,
            put("image", seal(key, flipped(jpeg, len(jpeg) // 2), place)),
            [(where, f"picture {picture.id} is not the one that was signed")],
        ),
        (KeyImage, put("image", flipped(picture.image, 60)), [(where, f"picture {picture.id} cannot be opened")]),
        (KeyImage, put("case_id", world.add_case().id), [(where, f"picture {picture.id} is not there")]),
        (StoredFile, put("sha256", "0" * 64), set_otherwise),
        (StoredFile, put("state", "removed"), set_otherwise),
        (StoredFile, put("first_set", 2), set_otherwise),
    ):
        with changed(world, case, table, change):
            assert faults(world) == found


def test_a_file_that_slips_into_a_signed_set_is_found(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        case = signed_case(world)
        late = world.add_file(case)
        with world.database.write() as session:
            session.get_one(StoredFile, late.id).first_set = 1
        assert faults(world) == [(f"{case.id} version 1", "the files of image set 1 are not those that were signed")]


def test_a_version_that_was_taken_away_is_missed(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        case = signed_case(world)
        with forgotten(world, case):
            assert (f"{case.id} version 1", "the case knows of no such version") in faults(world)
        with world.database.write() as session:
            session.delete(the(session, ReportVersion, case))
        assert faults(world) == [(f"{case.id} version 1", "it was signed, and is not there")]
        with forgotten(world, case):
            assert faults(world) == [(f"{case.id} version 1", "it was signed, and is not there")]


@contextmanager
def forgotten(world: World, case: Case) -> Iterator[None]:
    with world.database.write() as session:
        session.get_one(Case, case.id).version = 0
    yield
    with world.database.write() as session:
        session.get_one(Case, case.id).version = 1


def test_an_amendment_under_way_may_draw_anew_and_every_version_is_looked_at(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        case = signed_case(world)
        amend(world, case)
        draw(world, case, [])
        assert faults(world) == []
        took(sign(world, case, write_draft(world, case, impression="The left side.")))
        assert faults(world) == []
        amend(world, case)
        draw(world, case, [{"uid": "m9"}])
        took(take(world, case.id, "radiologist", Action.DISCARD_AMENDMENT))
        assert faults(world) == []
        first, _ = version_rows(world, case)
        with world.database.write() as session:
            session.get_one(ReportVersion, first.id).report_hash = "0" * 64
        assert {where for where, _ in faults(world)} == {f"{case.id} version 1"}


def test_the_files_themselves_are_read_when_asked_for(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        blobs = LocalBlobStore(tmp_path / "blobs")
        case = case_in_review(world)
        key = world.keys.data_key(case.key_id)
        with world.database.write() as session:
            files = session.exec(select(StoredFile).where(StoredFile.case_id == case.id)).all()
            for number, file in enumerate(files):
                with blobs.writer(file.id, key.secret) as writer:
                    writer.append(b"image %d" % number)
                    info = writer.finish()
                file.size, file.sha256 = info.size, info.sha256
        took(sign(world, case, write_draft(world, case)))
        assert faults(world, blobs) == []
        blobs.delete(files[0].id)
        blobs.delete(files[1].id)
        with blobs.writer(files[1].id, key.secret) as writer:
            writer.append(b"image 2")
            writer.finish()
        assert faults(world) == []
        assert sorted(faults(world, blobs)) == sorted(
            [
                (f"{case.id} file {files[0].id}", "it is damaged or not there"),
                (f"{case.id} file {files[1].id}", "it is not what was submitted"),
            ]
        )


def test_an_erased_case_is_no_fault_and_its_hash_still_stands(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        case = signed_case(world)
        with world.database.write() as session:
            session.get_one(DataKey, case.key_id).wrapped = None
        world.keys.forget(case.key_id)
        assert faults(world) == []
        with world.database.write() as session:
            the(session, ReportVersion, case).report_hash = "0" * 64
        assert faults(world) == [(f"{case.id} version 1", "the audit trail says otherwise")]
