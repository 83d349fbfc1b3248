"""The audit trail: every edit, deletion, change of order and cut is seen (SAFETY.md, tamper evidence; invariant 14)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from infra.audit import AuditSealer, row_hash, verify_audit, write_audit, write_audits
from infra.database import Database
from schemas.messages import Actor
from schemas.tables.wires import AuditRow
from tests.infra.databases import another, database, mariadb_engine, sqlite_database, sqlite_engine

__all__ = ["database", "mariadb_engine", "sqlite_database", "sqlite_engine"]

NOW = datetime(2026, 11, 2, 9, 0, 0, 5, tzinfo=UTC)
ACTOR = Actor(user_id="usr_1", role="dentist", relation="own", session_id="ses_1")


def write(database: Database, scope: str, act: str = "case.submit", **facts: str) -> None:
    with database.write() as session:
        write_audit(session, scope=scope, act=act, actor=ACTOR, at=NOW, detail=facts)


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "anchors" / "audit.anchors"


@pytest.fixture
def trail(sqlite_database: Database, anchor: Path) -> Database:
    return make_trail(sqlite_database, anchor)


def make_trail(database: Database, anchor: Path) -> Database:
    """Eight sealed rows of two cases, and two that are not sealed yet."""
    for number in range(8):
        write(database, f"case_{number % 2}", number=str(number))
    assert AuditSealer(database, anchor).seal() == 8
    write(database, "case_0", number="8")
    write(database, "case_1", number="9")
    assert verify_audit(database, anchor) == []
    return database


def run(database: Database, *statements: str) -> None:
    """As somebody with the database's password does."""
    with database.engine.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount >= 1


TAMPERING: dict[str, tuple[str, ...]] = {
    "an act is edited": ("UPDATE audit SET act = 'case.view' WHERE chain_seq = 4",),
    "an actor is edited": ("UPDATE audit SET actor_id = 'usr_2' WHERE chain_seq = 1",),
    "a denial is made a success": ("UPDATE audit SET outcome = 'denied' WHERE chain_seq = 8",),
    "a time is edited": ("UPDATE audit SET at = '2026-11-02 09:00:00.000006' WHERE chain_seq = 2",),
    "a detail is edited": ("UPDATE audit SET detail = '{}' WHERE chain_seq = 5",),
    "a row is moved to another case": ("UPDATE audit SET scope = 'case_9' WHERE chain_seq = 8",),
    "the first row is deleted": ("DELETE FROM audit WHERE chain_seq = 1",),
    "a row in the middle is deleted": ("DELETE FROM audit WHERE chain_seq = 4",),
    "the end of the chain is cut off": ("DELETE FROM audit WHERE chain_seq >= 7",),
    "the whole chain is deleted": ("DELETE FROM audit WHERE chain_seq IS NOT NULL",),
    "everything is deleted": ("DELETE FROM audit",),
    "a row that is not sealed yet is deleted": ("DELETE FROM audit WHERE chain_seq IS NULL AND scope = 'case_0'",),
    "all rows of a case are deleted": ("DELETE FROM audit WHERE scope = 'case_1'",),
    "two rows change places": (
        "UPDATE audit SET chain_seq = 99 WHERE chain_seq = 3",
        "UPDATE audit SET chain_seq = 3 WHERE chain_seq = 4",
        "UPDATE audit SET chain_seq = 4 WHERE chain_seq = 99",
    ),
    "a hash is edited": ("UPDATE audit SET chain_hash = row_hash WHERE chain_seq = 8",),
    "a row is taken out of the chain": ("UPDATE audit SET chain_seq = NULL, chain_hash = NULL WHERE chain_seq = 8",),
}


@pytest.mark.parametrize("statements", TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_seen(trail: Database, anchor: Path, statements: tuple[str, ...]) -> None:
    run(trail, *statements)
    assert verify_audit(trail, anchor)


def test_a_trail_holds_and_a_changed_microsecond_is_seen_on_both_databases(database: Database, anchor: Path) -> None:
    trail = make_trail(database, anchor)
    run(trail, *TAMPERING["a time is edited"])
    assert [broken.where for broken in verify_audit(trail, anchor)] == ["chain 2"]


def test_tampering_is_still_seen_after_more_was_sealed(trail: Database, anchor: Path) -> None:
    run(trail, "DELETE FROM audit WHERE chain_seq >= 7")
    write(trail, "case_5")
    AuditSealer(trail, anchor).seal()
    found = {broken.what for broken in verify_audit(trail, anchor)}
    assert "row 7 is missing" in found
    assert "anchored, but cut off from the table" in found


def test_a_chain_that_was_made_anew_does_not_match_its_anchor(trail: Database, anchor: Path) -> None:
    """Whoever can write the table can make a new chain that holds in itself; the anchor is outside."""
    run(
        trail,
        "UPDATE audit SET act = 'case.view', row_hash = '' WHERE chain_seq = 4",
        "UPDATE audit SET chain_seq = NULL, chain_hash = NULL",
        "UPDATE head SET value = 0 WHERE name = 'audit-chain'",
    )
    _rehash(trail)
    AuditSealer(trail, anchor.with_name("forger.anchors")).seal()
    assert verify_audit(trail, anchor.with_name("forger.anchors")) == [], "the forged chain holds in itself"
    assert [broken.what for broken in verify_audit(trail, anchor)] == ["its anchor outside the database says otherwise"]


def _rehash(database: Database) -> None:
    with database.write() as session:
        for row in session.exec(select(AuditRow)).all():
            row.row_hash = row_hash(row)


def test_sealers_that_work_at_the_same_moment_as_many_writers_make_one_chain(database: Database, anchor: Path) -> None:
    processes = [another(database), another(database)]
    sealers = [AuditSealer(process, anchor) for process in processes]

    def work(number: int) -> int:
        if number % 4 == 3:
            return sealers[number // 4 % 2].seal()
        write(processes[number % 2], f"case_{number % 5}", number=str(number))
        return 0

    with ThreadPoolExecutor(6) as threads:
        sealed = sum(threads.map(work, range(120)))
    while more := sealers[0].seal():
        sealed += more
    for process in processes:
        process.close()
    assert sealed == 90, "each row is sealed once"
    assert verify_audit(database, anchor) == []


def test_a_torn_last_line_of_the_anchor_file_is_passed_over(trail: Database, anchor: Path) -> None:
    with anchor.open("a") as file:
        file.write('{"chain_seq": 9, "chain_h')
    assert verify_audit(trail, anchor) == []


@pytest.mark.parametrize("torn", ['{"chain_seq": 9, "chain_h', '{"chain_seq": 9}', "[]", "\udcff"])
def test_an_anchor_after_a_torn_line_counts_and_the_torn_one_is_reported(
    trail: Database, anchor: Path, torn: str
) -> None:
    with anchor.open("a", errors="surrogateescape") as file:
        file.write(torn)
    write(trail, "case_a")
    AuditSealer(trail, anchor).seal()
    assert [broken.where for broken in verify_audit(trail, anchor)] == ["anchor line 2"]


def test_an_anchor_is_written_for_each_sealing_and_nothing_when_there_is_nothing(
    sqlite_database: Database, anchor: Path
) -> None:
    sealer = AuditSealer(sqlite_database, anchor)
    assert sealer.seal() == 0
    assert not anchor.exists()
    for _ in range(2):
        write(sqlite_database, "case_1")
        assert sealer.seal() == 1
    assert [json.loads(line)["chain_seq"] for line in anchor.read_text().splitlines()] == [1, 2]
    assert anchor.stat().st_mode & 0o077 == 0


def test_one_act_on_many_has_a_row_for_each_in_their_order(database: Database, anchor: Path) -> None:
    write(database, "case_1")
    with database.write() as session:
        write_audits(session, scope="case_1", act="file.store", actor=ACTOR, at=NOW, subject_ids=["fil_2", "fil_1"])
        write_audits(session, scope="case_1", act="file.store", actor=ACTOR, at=NOW, subject_ids=[])
    with database.read() as session:
        rows = session.exec(select(AuditRow).order_by(col(AuditRow.scope_seq))).all()
    assert [(row.scope_seq, row.act, row.subject_id) for row in rows] == [
        (1, "case.submit", None), (2, "file.store", "fil_2"), (3, "file.store", "fil_1"),
    ]  # fmt: skip
    assert all(row.row_hash == row_hash(row) for row in rows)
    assert AuditSealer(database, anchor).seal() == 3
    assert verify_audit(database, anchor) == []


def test_an_act_that_is_rolled_back_leaves_no_row_and_no_gap(database: Database, anchor: Path) -> None:
    write(database, "case_1")
    with pytest.raises(RuntimeError), database.write() as session:
        write_audit(session, scope="case_1", act="case.submit", actor=ACTOR, at=NOW)
        raise RuntimeError
    write(database, "case_1")
    AuditSealer(database, anchor).seal()
    assert verify_audit(database, anchor) == []
