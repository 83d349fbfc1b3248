"""Master keys wrap, rotate and survive; a destroyed key stops working in time."""

import hmac
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.envelopes import sign_envelope, verify_envelope
from infra.key_file import (
    KeyFileBusy,
    KeyFileExists,
    KeyFileNotWritten,
    create_key_file,
    drop_old_keys,
    holding_key_file,
    load_master_keys,
    read_key_file,
    rotate_key_file,
)
from infra.keys import (
    DataKey,
    KeyUnknown,
    MasterKeyFileRefused,
    MasterKeyMissing,
    MasterKeys,
    Recent,
    WrappedKeyRefused,
    bind,
    derive_key,
    new_data_key,
)
from infra.settings import Settings
from tests.infra.test_envelopes import NOW, envelope


def test_a_wrapped_key_opens_in_its_own_context_alone() -> None:
    master, data_key = MasterKeys.generate(), new_data_key()
    token = master.wrap(data_key, "key_1")
    assert master.unwrap(token, "key_1") == data_key
    assert token.isascii()
    assert len(token) < 160
    for keys, context, error in (
        (master, "key_2", WrappedKeyRefused),
        (MasterKeys.generate(), "key_1", KeyUnknown),
        (MasterKeys({master.active: new_data_key()}), "key_1", WrappedKeyRefused),
    ):
        with pytest.raises(error):
            keys.unwrap(token, context)


def test_a_changed_token_is_refused() -> None:
    master = MasterKeys.generate()
    token = master.wrap(new_data_key(), "key_1")
    for place in range(len(token)):
        for other in "A.b":
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises((WrappedKeyRefused, KeyUnknown)):
                    master.unwrap(changed, "key_1")
    for broken in ("", "w1", "w1.a.b.c", f"w1.{master.active}.", token[:-4]):
        with pytest.raises((WrappedKeyRefused, KeyUnknown)):
            master.unwrap(broken, "key_1")


def test_after_a_rotation_old_tokens_open_and_are_rewrapped_once(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    create_key_file(path)
    before, data_key = read_key_file(path), new_data_key()
    token = before.wrap(data_key, "key_1")
    signed = sign_envelope(envelope(), before.ring("envelope"))

    after = rotate_key_file(path)
    assert read_key_file(path).ids == after.ids == (before.active, after.active)
    assert after.unwrap(token, "key_1") == data_key
    rewrapped = after.rewrap(token, "key_1")
    assert rewrapped is not None
    assert after.rewrap(rewrapped, "key_1") is None
    assert MasterKeys.from_text(after.to_text()).unwrap(rewrapped, "key_1") == data_key
    with pytest.raises(KeyUnknown):
        before.unwrap(rewrapped, "key_1")
    assert verify_envelope(signed, after.ring("envelope"), case_id="case_1", now=NOW)
    assert after.derive("csrf") != before.derive("csrf")
    assert after.derive("csrf", before.active) == before.derive("csrf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]


def test_derived_keys_differ_by_purpose_and_follow_rfc_5869() -> None:
    key = bytes(range(32))
    # §2.3: T(1) = HMAC(PRK, info | 0x01). What is stored depends on this form: it may never change.
    assert derive_key(key, "payload") == hmac.digest(key, b"odontoflow payload\x01", "sha256")
    assert len({derive_key(key, purpose) for purpose in ("payload", "column", "wrap", "")}) == 4


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_bound_parts_cannot_be_cut_elsewhere(first: list[str], second: list[str]) -> None:
    assert (bind(*first) == bind(*second)) == (first == second)


def test_embedded_mode_makes_the_file_once_and_production_never(tmp_path: Path) -> None:
    embedded = Settings(home=tmp_path / "var")
    made = load_master_keys(embedded)
    assert stat.S_IMODE(embedded.key_file.stat().st_mode) == 0o600
    assert load_master_keys(embedded).ids == made.ids
    production = Settings(home=tmp_path / "empty", mode="production")
    with pytest.raises(MasterKeyMissing):
        load_master_keys(production)
    assert not production.key_file.exists()
    assert load_master_keys(Settings(home=tmp_path / "var", mode="production")).ids == made.ids


def test_those_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_master_keys(Settings(home=tmp_path)).active, range(32)))
    assert len(set(made)) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_file_is_made_once_and_only_where_there_is_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key_file(path)
    content = path.read_bytes()
    with pytest.raises(KeyFileExists):
        create_key_file(path)
    with pytest.raises(KeyFileNotWritten):
        create_key_file(tmp_path / "nowhere" / "key")
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_dropping_the_old_keys_leaves_the_active_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key_file(path)
    old = read_key_file(path)
    active = rotate_key_file(path).active
    assert drop_old_keys(path).ids == read_key_file(path).ids == (active,)
    with pytest.raises(KeyUnknown):
        read_key_file(path).unwrap(old.wrap(new_data_key(), "key_1"), "key_1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_rotation_by_root_keeps_the_files_owner(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key_file(path)
    os.chown(path, 10001, 10001)
    rotate_key_file(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (10001, 10001)


def test_two_changes_of_a_key_file_cannot_overlap(tmp_path: Path) -> None:
    with holding_key_file(tmp_path / "key"), pytest.raises(KeyFileBusy), holding_key_file(tmp_path / "key"):
        pass
    with holding_key_file(tmp_path / "key"):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format":1,"keys":{}}',
        '{"format":2,"keys":{"a":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}',
        '{"format":1,"keys":{"a":"AAAA"}}',
        '{"format":1,"keys":{"a b":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}',
        '{"format":1,"keys":{"a":7}}',
        '{"format":1,"keys":["a"]}',
        '{"format":1,"keys":{"a":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",'
        '"a":"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="}}',
        "schlüssel",
    ],
)
def test_a_file_that_is_no_key_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MasterKeyFileRefused):
        load_master_keys(Settings(home=tmp_path))
    assert path.read_text(encoding="utf-8") == text


def test_keys_are_not_shown() -> None:
    master, key = MasterKeys.generate(), DataKey("key_1", b"\x07" * 32)
    assert repr(key) == str(key) == "DataKey(id='key_1')"
    assert repr(master) == f"MasterKeys({master.active})"


def test_an_answer_is_kept_for_its_time_and_until_it_is_forgotten() -> None:
    now = 0.0
    recent: Recent[bytes] = Recent(2.5, clock=lambda: now)
    _, ticket = recent.ask("a")
    recent.keep("a", b"1", ticket)
    recent.forget(lambda name, _: name == "b")
    now = 2.4
    assert recent.ask("a")[0] == b"1"
    now = 2.5
    missed, ticket = recent.ask("a")
    assert missed is None
    recent.keep("a", b"2", ticket)
    recent.forget(lambda _, value: value == b"2")
    assert recent.ask("a")[0] is None


def test_the_time_of_an_answer_runs_from_its_question() -> None:
    now = 0.0
    recent: Recent[bytes] = Recent(2.5, clock=lambda: now)
    _, ticket = recent.ask("a")
    now = 2.0
    recent.keep("a", b"1", ticket)
    now = 2.5
    assert recent.ask("a")[0] is None


def test_an_answer_under_way_while_something_is_forgotten_is_not_kept() -> None:
    recent: Recent[bytes] = Recent(2.5)
    _, ticket = recent.ask("a")
    recent.forget(lambda name, _: name == "a")
    recent.keep("a", b"1", ticket)
    assert recent.ask("a")[0] is None


def test_of_too_many_answers_the_oldest_goes() -> None:
    recent: Recent[int] = Recent(2.5, size=2)
    for number, name in enumerate("abc"):
        recent.keep(name, number, recent.ask(name)[1])
    assert [recent.ask(name)[0] for name in "abc"] == [None, 1, 2]
