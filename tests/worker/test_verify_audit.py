"""``verify-audit`` through the command line: the trail and every signed version, by ids alone."""

from sqlmodel import select

from infra.audit import AuditSealer
from infra.key_file import read_key_file
from infra.keystore import KeyStore
from schemas.tables.imaging import StoredFile
from schemas.tables.report import ReportVersion
from tests.activities.records.signed import signed_case
from tests.worker.commands import Site, database, mariadb_engine, site, sqlite_database, sqlite_engine, sqlite_site
from tests.world import World, populate

__all__ = ["database", "mariadb_engine", "site", "sqlite_database", "sqlite_engine", "sqlite_site"]

WHOLE = "The audit trail is whole.\nEvery signed report is what was signed.\n"


def populated(site: Site) -> World:
    return populate(site.database, KeyStore(site.database, read_key_file(site.key_file)))


def test_what_is_whole_is_said_to_be(site: Site) -> None:
    world = populated(site)
    assert site.run("verify-audit") == (0, WHOLE, "")
    signed_case(world)
    while AuditSealer(site.database, site.home / "audit.anchors").seal():
        pass
    assert site.run("verify-audit") == (0, WHOLE, "")


def test_each_fault_is_one_line_of_ids(sqlite_site: Site) -> None:
    world = populated(sqlite_site)
    case, other = signed_case(world), signed_case(world)
    with world.database.write() as session:
        for version in session.exec(select(ReportVersion)).all():
            version.report_hash = "0" * 64
    code, said, complaints = sqlite_site.run("verify-audit")
    assert (code, complaints) == (1, "")
    first, *faults, last = said.splitlines()
    assert first == "The audit trail is whole."
    assert last == "Not every signed report is what was signed."
    assert {line.split(":")[0] for line in faults} == {f"{each.id} version 1" for each in (case, other)}
    for secret in ("Moreau", "Anna", "Sufficient bone", "Keller"):
        assert secret not in said


def test_the_images_are_read_when_asked_for(sqlite_site: Site) -> None:
    world = populated(sqlite_site)
    case = signed_case(world)
    with world.database.read() as session:
        files = session.exec(select(StoredFile.id).where(StoredFile.case_id == case.id)).all()
    assert sqlite_site.run("verify-audit") == (0, WHOLE, "")
    code, said, _ = sqlite_site.run("verify-audit", "--images")
    assert code == 1
    for file_id in files:
        assert f"{case.id} file {file_id}: it is damaged or not there" in said.splitlines()
