"""Ingest: every file is recorded once, whatever happens; the verdict counts and compares; sets are frozen and hashed."""

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from activities.imaging.frames import ranges_of_frame
from activities.imaging.image_sets import freeze_image_set, image_set_hash
from activities.imaging.parser.results import Examined
from activities.imaging.previews import INSTANCE, PHOTO, find_preview, middle_instance
from infra.sealing import column_aad, open_json
from schemas.messages import ProcessInput
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import IdentityFinding, Instance, Preview, Series, StoredFile, Study
from tests.activities.imaging import files
from tests.activities.imaging.conftest import Clinic
from worker.demo.patients import PatientIdentity
from worker.demo.studies import test_series as make_series


def counts(clinic: Clinic, case: Case) -> dict[str, int]:
    with clinic.world.database.read() as session:
        return {
            table.__tablename__: len(session.exec(select(table).where(table.case_id == case.id)).all())
            for table in (Study, Series, Instance, Preview)
        }


def verdict_of(clinic: Clinic, case: Case) -> tuple[int, IdentityStanding]:
    with clinic.world.database.write() as session:
        freeze_image_set(session, case.id, 1)
    outcome = clinic.imaging.verdict(case.id, 1)
    return outcome.readable, outcome.identity


def test_a_series_from_the_scanner_is_ready_to_be_read(clinic: Clinic, tmp_path: Path) -> None:
    identity = PatientIdentity("Muster^Anna", date(1980, 2, 14), "F", "A-100", issuer="")
    case = clinic.open_case()
    paths = make_series(tmp_path / "series", identity)
    for path in paths:
        clinic.put(case, path.read_bytes(), path.name)

    seen: list[tuple[int, int]] = []
    clinic.imaging._on_progress = lambda _, done, total: seen.append((done, total))
    assert clinic.imaging.ingest(case.id) == len(paths)

    assert seen[-1] == (len(paths), len(paths))
    assert counts(clinic, case) == {"study": 1, "series": 1, "instance": len(paths), "preview": 1}
    assert {file.state for file in clinic.files(case)} == {"ready"}
    with clinic.world.database.read() as session:
        assert set(session.exec(select(Instance.identity).where(Instance.case_id == case.id)).all()) == {"exact"}
        series = session.exec(select(Series).where(Series.case_id == case.id)).one()
        middle = middle_instance(session, series.id)
        assert middle is not None
        assert find_preview(session, clinic.world.keys.data_key(case.key_id), middle[0].id, INSTANCE)
    assert verdict_of(clinic, case) == (len(paths), IdentityStanding.MATCHED)


def test_a_mixed_folder_gets_a_state_and_a_sentence_for_each_file(clinic: Clinic) -> None:
    case = clinic.open_case()
    wanted = {
        clinic.put(case, files.dicom_file()): ("dicom", "ready", None),
        clinic.put(case, files.photo(orientation=6)): ("photo", "ready", None),
        clinic.put(case, files.pdf()): ("document", "ready", None),
        clinic.put(case, files.pydicom_file("MR_truncated.dcm")): ("dicom", "unreadable", "truncated"),
        clinic.put(case, files.deflate_bomb()): ("dicom", "unreadable", "over_limits"),
        clinic.put(case, b"MZ\x90 setup.exe"): ("other", "unreadable", "not_an_image"),
        clinic.put(case, b""): ("other", "unreadable", "empty_file"),
    }
    clinic.imaging.ingest(case.id)
    found = {file.id: (file.kind, file.state, file.problem_code) for file in clinic.files(case)}
    assert found == wanted
    assert all(file.problem and file.problem.endswith(".") for file in clinic.files(case) if file.problem_code)
    assert verdict_of(clinic, case) == (2, IdentityStanding.MATCHED)
    with clinic.world.database.read() as session:
        photo_id = next(file_id for file_id, (kind, _, _) in wanted.items() if kind == "photo")
        assert find_preview(session, clinic.world.keys.data_key(case.key_id), photo_id, PHOTO)


def test_ingest_again_changes_nothing(clinic: Clinic) -> None:
    case = clinic.open_case()
    for number in range(1, 4):
        clinic.put(case, files.dicom_file(study="1.2", series="1.2.3", number=number))
    clinic.imaging.ingest(case.id)
    before = counts(clinic, case)
    assert clinic.imaging.ingest(case.id) == 0
    assert counts(clinic, case) == before == {"study": 1, "series": 1, "instance": 3, "preview": 1}


def test_a_check_says_that_it_lives_while_one_file_takes_long(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the engine would take its worker for dead after ``workflows.policies.IMAGING_HEARTBEAT``."""
    case = clinic.open_case()
    clinic.put(case, files.dicom_file())
    lives = threading.Event()
    examine = clinic.imaging._pool.examine

    def slowly(*arguments: Any) -> Examined:
        assert lives.wait(20), "no sign of life came while a file was examined"
        return examine(*arguments)

    monkeypatch.setattr("activities.heartbeats._BEAT_S", 0.05)
    monkeypatch.setattr(clinic.imaging._pool, "examine", slowly)
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: lives.set()
    environment.run(clinic.imaging.ingest_activity, ProcessInput(case_id=case.id, image_set=1))
    assert [file.state for file in clinic.files(case)] == ["ready"]


def test_an_ingest_that_is_killed_is_finished_by_the_next(clinic: Clinic, tmp_path: Path) -> None:
    case = clinic.open_case()
    for number in range(1, 81):
        clinic.put(case, files.dicom_file(study="1.2", series=f"1.2.{number % 2 + 1}", number=number))
    (tmp_path / "keys").write_text(clinic.world.keys.master.to_text())
    program = [sys.executable, "-m", "tests.activities.imaging.ingest_once", str(tmp_path), case.id]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "batch\n"
        process.kill()
    states = Counter(file.state for file in clinic.files(case))
    assert 0 < states["ready"] < 80

    clinic.imaging.ingest(case.id)
    assert Counter(file.state for file in clinic.files(case)) == {"ready": 80}
    assert counts(clinic, case) == {"study": 1, "series": 2, "instance": 80, "preview": 2}


def ingest_at_once(clinic: Clinic) -> None:
    """Two workers check the same case: a late attempt of an activity and its successor."""
    case = clinic.open_case()
    for number in range(1, 41):
        clinic.put(case, files.dicom_file(study="1.2", series=f"1.2.{number % 2 + 1}", number=number))
    with ThreadPoolExecutor(2) as threads:
        for running in [threads.submit(clinic.imaging.ingest, case.id) for _ in range(2)]:
            running.result()
    assert Counter(file.state for file in clinic.files(case)) == {"ready": 40}
    assert counts(clinic, case) == {"study": 1, "series": 2, "instance": 40, "preview": 2}
    assert verdict_of(clinic, case) == (40, IdentityStanding.MATCHED)


def test_two_ingests_at_once_record_each_file_once(clinic: Clinic) -> None:
    ingest_at_once(clinic)


def test_two_ingests_at_once_record_each_file_once_on_mariadb(mariadb_clinic: Clinic) -> None:
    ingest_at_once(mariadb_clinic)


def test_the_same_file_twice_is_kept_once_and_another_under_its_uid_is_for_a_person(clinic: Clinic) -> None:
    case = clinic.open_case()
    content = files.dicom_file(study="1.2", series="1.2.3", SOPInstanceUID="1.2.3.4")
    other = files.dicom_file(study="1.2", series="1.2.3", SOPInstanceUID="1.2.3.4", number=9)
    first = clinic.put(case, content)
    clinic.imaging.ingest(case.id)
    second, third = clinic.put(case, content), clinic.put(case, other)
    clinic.imaging.ingest(case.id)
    assert clinic.file(first).state == "ready"
    assert (clinic.file(second).state, clinic.file(second).problem_code) == ("removed", "duplicate")
    assert not clinic.blobs.exists(second)
    assert (clinic.file(third).state, clinic.file(third).problem_code) == ("unreadable", "conflicting_instance")
    assert counts(clinic, case)["instance"] == 1


def test_a_file_damaged_in_storage_is_unreadable_and_its_neighbours_are_not(clinic: Clinic, tmp_path: Path) -> None:
    case = clinic.open_case()
    broken, whole = clinic.put(case, files.dicom_file()), clinic.put(case, files.dicom_file())
    (path,) = (tmp_path / "blobs").rglob(f"{broken}*.blob")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    clinic.imaging.ingest(case.id)
    assert (clinic.file(broken).state, clinic.file(broken).problem_code) == ("unreadable", "storage_damaged")
    assert clinic.file(whole).state == "ready"


@pytest.mark.parametrize(
    ("patient", "standing", "outcome"),
    [
        ({"PatientName": "MUSTER^ANNA", "PatientBirthDate": "19800214"}, IdentityStanding.MATCHED, "exact"),
        ({"PatientName": "Muster^A"}, IdentityStanding.MATCHED, "probable"),
        ({}, IdentityStanding.MATCHED, "absent"),
        ({"PatientName": "Muster^Anna", "PatientBirthDate": "19910214"}, IdentityStanding.MISMATCHED, "contradictory"),
        ({"PatientName": "Keller^Urs", "PatientBirthDate": "19500101"}, IdentityStanding.MISMATCHED, "contradictory"),
    ],
)
def test_the_verdict_on_identity_follows_the_files(
    clinic: Clinic, patient: dict[str, str], standing: IdentityStanding, outcome: str
) -> None:
    case = clinic.open_case()
    clinic.put(case, files.dicom_file(patient=patient))
    clinic.imaging.ingest(case.id)
    assert verdict_of(clinic, case) == (1, standing)
    with clinic.world.database.read() as session:
        finding = session.exec(select(IdentityFinding).where(IdentityFinding.case_id == case.id)).one()
    assert finding.outcome == outcome


def test_a_finding_names_who_is_in_which_file_and_is_sealed(clinic: Clinic) -> None:
    case = clinic.open_case()
    own = clinic.put(case, files.dicom_file())
    foreign = clinic.put(case, files.dicom_file(patient={"PatientName": "Keller^Urs", "PatientBirthDate": "19500101"}))
    clinic.imaging.ingest(case.id)
    assert verdict_of(clinic, case) == (2, IdentityStanding.MISMATCHED)
    clinic.imaging.verdict(case.id, 1)
    with clinic.world.database.read() as session:
        finding = session.exec(select(IdentityFinding).where(IdentityFinding.case_id == case.id)).one()
    assert b"Keller" not in finding.details
    key = clinic.world.keys.data_key(case.key_id)
    details = open_json(key, finding.details, column_aad("identity_finding", f"{case.id}/1", "details"))
    assert isinstance(details, list)
    who = {entry["name"]: (entry["file_ids"], entry["outcome"]) for entry in details if isinstance(entry, dict)}
    assert who == {"Anna Muster": ([own], "exact"), "Urs Keller": ([foreign], "contradictory")}


def test_correcting_the_patient_changes_the_next_verdict(clinic: Clinic) -> None:
    case = clinic.open_case()
    clinic.put(case, files.dicom_file(patient={"PatientName": "Meier^Anna", "PatientBirthDate": "19800214"}))
    clinic.imaging.ingest(case.id)
    assert verdict_of(clinic, case)[1] is IdentityStanding.MISMATCHED
    corrected = clinic.world.add_patient(family_name="Meier", given_name="Anna", birth_date=date(1980, 2, 14))
    with clinic.world.database.write() as session:
        session.get_one(Case, case.id).patient_id = corrected.id
    assert clinic.imaging.verdict(case.id, 1).identity is IdentityStanding.MATCHED
    with clinic.world.database.read() as session:
        assert session.exec(select(Instance.identity).where(Instance.case_id == case.id)).one() == "exact"


def test_a_set_takes_what_is_loose_and_its_hash_covers_exactly_that(clinic: Clinic) -> None:
    case = clinic.open_case()
    first = clinic.put(case, files.dicom_file())
    clinic.put(case, b"unreadable")
    clinic.imaging.ingest(case.id)
    with clinic.world.database.write() as session:
        one = freeze_image_set(session, case.id, 1)
    later = clinic.put(case, files.dicom_file())
    with clinic.world.database.write() as session:
        assert image_set_hash(session, case.id, 1) == one
        two = freeze_image_set(session, case.id, 2)
        assert image_set_hash(session, case.id, 1) == one != two
        sets = {file.id: file.first_set for file in session.exec(select(StoredFile).order_by(col(StoredFile.id))).all()}
    assert (sets[first], sets[later]) == (1, 2)
    assert list(sets.values()).count(None) == 1
    with clinic.world.database.write() as session:
        session.get_one(StoredFile, first).sha256 = "0" * 64
        assert image_set_hash(session, case.id, 1) != one


def test_metadata_in_the_database_is_sealed(clinic: Clinic) -> None:
    case = clinic.open_case()
    clinic.put(case, files.dicom_file(PatientComments="canary in the comments"))
    clinic.imaging.ingest(case.id)
    with clinic.world.database.read() as session:
        instance = session.exec(select(Instance).where(Instance.case_id == case.id)).one()
        study = session.exec(select(Study).where(Study.case_id == case.id)).one()
    for sealed in (instance.metadata_json, study.attributes):
        assert b"canary" not in sealed and b"Muster" not in sealed
    key = clinic.world.keys.data_key(case.key_id)
    opened = open_json(key, instance.metadata_json, column_aad("instance", instance.id, "metadata_json"))
    assert "canary in the comments" in json.dumps(opened)


def test_the_record_says_which_pictures_may_show_a_name(clinic: Clinic) -> None:
    case = clinic.open_case()
    for number, stated in enumerate(("NO", "YES", None)):
        clinic.put(
            case, files.dicom_file(number=number, BurnedInAnnotation=stated, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
        )
    clinic.imaging.ingest(case.id)
    with clinic.world.database.read() as session:
        rows = session.exec(select(Instance.number, Instance.burned_in).where(Instance.case_id == case.id)).all()
    assert dict(rows) == {0: "no", 1: "yes", 2: "possible"}


def test_one_file_of_many_frames_is_one_instance_whose_frames_are_served_in_order(clinic: Clinic) -> None:
    frames = np.arange(100, dtype=np.uint16)[:, None, None] + np.zeros((1, 16, 16), np.uint16)
    content = files.dicom_file(frames=100, SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", PixelData=frames.tobytes())
    case = clinic.open_case()
    stored, packed = clinic.put(case, content), clinic.put(case, files.deflated(files.dicom_file(number=5, frames=100)))
    clinic.imaging.ingest(case.id)
    with clinic.world.database.read() as session:
        by_file = {row.file_id: row for row in session.exec(select(Instance).where(Instance.case_id == case.id)).all()}
    assert {row.frames for row in by_file.values()} == {100}
    for number in range(100):
        ranges = ranges_of_frame(by_file[stored], number)
        assert ranges is not None
        offset, length = ranges
        assert content[offset : offset + length] == frames[number].tobytes()
    assert ranges_of_frame(by_file[packed], 99) is None  # served decoded: browsers inflate nothing


def test_two_people_of_whom_each_could_be_the_patient_are_still_two(clinic: Clinic) -> None:
    """One device gave them two numbers; the record has none of that device's."""
    case = clinic.open_case()
    for number in ("1", "2"):
        person = {"PatientName": "Muster^Anna", "PatientID": number, "IssuerOfPatientID": "Scanner"}
        clinic.put(case, files.dicom_file(patient=person))
    clinic.imaging.ingest(case.id)
    with clinic.world.database.write() as session:
        freeze_image_set(session, case.id, 1)
    assert clinic.imaging.verdict(case.id, 1).identity is IdentityStanding.MISMATCHED
