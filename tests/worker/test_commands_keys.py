"""``new-key`` and ``rotate-key`` through the command line."""

import stat

import pytest
from sqlalchemy import text
from sqlmodel import select

from infra import key_rotation
from infra.database import now
from infra.key_file import read_key_file
from infra.keys import DataKey, MasterKeys
from infra.keystore import KeyStore
from schemas.tables.wires import DataKey as DataKeyRow
from schemas.tables.wires import Heartbeat
from tests.worker.commands import Site, database, mariadb_engine, site, sqlite_database, sqlite_engine, sqlite_site

__all__ = ["database", "mariadb_engine", "site", "sqlite_database", "sqlite_engine", "sqlite_site"]


def filled(site: Site, count: int) -> dict[str, bytes]:
    """Data keys in the database; their secrets by id."""
    keys = KeyStore(site.database, read_key_file(site.key_file))
    with site.database.write() as session:
        made = [keys.create(session, "case", f"case_{number:08x}") for number in range(count)]
    return {key.id: key.secret for key in made}


def opened(site: Site, ids: dict[str, bytes]) -> dict[str, bytes]:
    """The same keys as a process that starts now reads them."""
    keys = KeyStore(site.database, read_key_file(site.key_file))
    return {key_id: keys.data_key(key_id).secret for key_id in ids}


def rows(site: Site) -> dict[str, str | None]:
    with site.database.read() as session:
        return {row.id: row.wrapped for row in session.exec(select(DataKeyRow)).all()}


def test_a_new_key_is_readable_by_its_owner_alone_and_never_replaces_another(sqlite_site: Site) -> None:
    path = sqlite_site.home / "new.key"
    code, said, complaints = sqlite_site.run("new-key", str(path))
    assert (code, complaints) == (0, "")
    assert str(path) in said
    assert "Copy it now" in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_key_file(path).ids) == 1

    content = path.read_bytes()
    code, said, complaints = sqlite_site.run("new-key", str(path))
    assert (code, said, complaints.count("\n")) == (1, "", 1)
    assert "exists already" in complaints
    assert path.read_bytes() == content
    assert {file.name for file in sqlite_site.home.iterdir() if "key" in file.name} == {"master.key", "new.key"}


def test_a_place_that_cannot_be_written_is_one_line(sqlite_site: Site) -> None:
    code, _, complaints = sqlite_site.run("new-key", str(sqlite_site.home / "nowhere" / "key"))
    assert (code, complaints.count("\n")) == (1, 1)
    assert "No such file or directory" in complaints


def test_a_rotation_puts_every_key_under_a_new_one_and_loses_none(site: Site) -> None:
    secrets = filled(site, 5)
    before = read_key_file(site.key_file)
    code, said, complaints = site.run("rotate-key")
    assert (code, complaints) == (0, "")
    after = read_key_file(site.key_file)
    assert after.ids == (*before.ids, after.active)
    assert all(wrapped and wrapped.startswith(after.active_prefix) for wrapped in rows(site).values())
    assert "6 stored keys" in said  # and the system's own
    assert opened(site, secrets) == secrets
    assert stat.S_IMODE(site.key_file.stat().st_mode) == 0o600

    assert site.run("rotate-key", "--drop-old")[0] == 0
    assert read_key_file(site.key_file).ids == (after.active,)
    assert opened(site, secrets) == secrets
    assert site.run("migrate") == (0, "", "")


def test_a_rotation_that_was_killed_is_gone_on_with_and_adds_no_third_key(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = filled(site, 5)
    monkeypatch.setattr(key_rotation, "_BATCH", 2)
    whole, batches = key_rotation._rewrap_some, 0

    def dies_at_the_third(*given: object) -> int:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise KeyboardInterrupt
        return whole(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as power:
        power.setattr(key_rotation, "_rewrap_some", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            site.run("rotate-key")
    midway = read_key_file(site.key_file)
    assert {str(wrapped).split(".")[1] for wrapped in rows(site).values()} == set(midway.ids)
    assert opened(site, secrets) == secrets
    code, _, complaints = site.run("rotate-key", "--drop-old")
    assert (code, complaints.count("\n")) == (1, 1)
    assert opened(site, secrets) == secrets

    code, said, _ = site.run("rotate-key")
    assert (code, "had not come to its end" in said) == (0, True)
    assert read_key_file(site.key_file).ids == midway.ids
    assert all(wrapped and wrapped.startswith(midway.active_prefix) for wrapped in rows(site).values())
    assert opened(site, secrets) == secrets


def test_a_key_that_is_destroyed_while_it_is_rewrapped_stays_destroyed(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key_id,) = filled(sqlite_site, 1)
    rewrap = MasterKeys.rewrap
    with sqlite_site.database.write() as session:

        def destroyed_meanwhile(self: MasterKeys, token: str, context: str) -> str | None:
            if context == key_id:
                session.connection().execute(text("UPDATE data_key SET wrapped = NULL WHERE id = :id"), {"id": key_id})
            return rewrap(self, token, context)

        monkeypatch.setattr(MasterKeys, "rewrap", destroyed_meanwhile)
        key_rotation._rewrap_some(session, read_key_file(sqlite_site.key_file).with_new_version())
    assert rows(sqlite_site)[key_id] is None


def test_a_key_that_no_master_key_opens_stops_the_rotation_and_is_named(sqlite_site: Site) -> None:
    secrets = filled(sqlite_site, 2)
    with sqlite_site.database.write() as session:
        strange = DataKey("key_0123456789abcdef", b"\x01" * 32)
        session.add(
            DataKeyRow(
                id=strange.id,
                scope="case",
                scope_id="case_ffffffff",
                wrapped=MasterKeys.generate().wrap(strange.secret, strange.id),
                created_at=now(),
            )
        )
    code, _, complaints = sqlite_site.run("rotate-key")
    assert (code, complaints.count("\n")) == (1, 1)
    assert strange.id in complaints
    assert opened(sqlite_site, secrets) == secrets


def test_no_rotation_while_a_worker_runs(sqlite_site: Site) -> None:
    with sqlite_site.database.write() as session:
        session.add(Heartbeat(process="worker", seen_at=now()))
    before = sqlite_site.key_file.read_bytes()
    code, _, complaints = sqlite_site.run("rotate-key")
    assert (code, complaints.count("\n")) == (1, 1)
    assert "Stop every api and worker" in complaints
    assert sqlite_site.key_file.read_bytes() == before


@pytest.mark.parametrize("command", ["migrate", "api", "worker", "rotate-key", "first-admin"])
def test_without_its_key_or_with_another_ones_nothing_starts_and_one_line_says_so(
    sqlite_site: Site, command: str
) -> None:
    argv = [command, "admin@reports.example"] if command == "first-admin" else [command]
    sqlite_site.key_file.rename(sqlite_site.home / "aside")
    code, said, complaints = sqlite_site.run(*argv)
    assert (code, said, complaints.count("\n")) == (1, "", 1)
    assert "key file" in complaints
    assert not sqlite_site.key_file.exists()

    if command in {"migrate", "first-admin"}:
        sqlite_site.run("new-key", str(sqlite_site.key_file))
        code, said, complaints = sqlite_site.run(*argv)
        assert (code, said, complaints.count("\n")) == (1, "", 1)
        assert "does not belong to this database" in complaints


def test_bare_key_bytes_are_refused_with_the_way_out(sqlite_site: Site) -> None:
    sqlite_site.key_file.write_text("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n")
    code, _, complaints = sqlite_site.run("migrate")
    assert (code, complaints.count("\n")) == (1, 1)
    assert "odontoflow new-key" in complaints
