"""A sealed column opens with its key, in its place, unchanged; and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from infra.keys import DataKey, KeyDestroyed, KeyUnknown, new_data_key
from infra.sealing import (
    SealedValueRefused,
    blind_index,
    column_aad,
    key_id_of,
    open_json,
    open_sealed,
    seal,
    seal_json,
)

KEY = DataKey("key_1", new_data_key())
PLACE = column_aad("report", "rep_1", "impression")
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200), st.text())
def test_what_was_sealed_opens_again_and_hides_its_content(plaintext: bytes, aad: str) -> None:
    sealed = seal(KEY, plaintext, aad)
    assert open_sealed(KEY, sealed, aad) == plaintext
    assert seal(KEY, plaintext, aad) != sealed
    assert key_id_of(sealed) == "key_1"
    if len(plaintext) > 3:
        assert plaintext not in sealed


@given(values)
def test_json_comes_back_as_it_was(value: JsonValue) -> None:
    assert open_json(KEY, seal_json(KEY, value, PLACE), PLACE) == value


@pytest.mark.parametrize(
    "place",
    [
        column_aad("report", "rep_2", "impression"),
        column_aad("report", "rep_1", "findings"),
        column_aad("message", "rep_1", "impression"),
        column_aad("report", "rep_1impression", ""),
        "",
    ],
)
def test_a_value_moved_to_another_place_is_refused(place: str) -> None:
    with pytest.raises(SealedValueRefused):
        open_sealed(KEY, seal(KEY, b"apical lesion", PLACE), place)


def test_another_cases_key_is_refused_also_under_the_first_ones_name() -> None:
    sealed = seal(KEY, b"apical lesion", PLACE)
    with pytest.raises(KeyUnknown):
        open_sealed(DataKey("key_2", KEY.secret), sealed, PLACE)
    with pytest.raises(SealedValueRefused):
        open_sealed(DataKey("key_1", new_data_key()), sealed, PLACE)


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    sealed = seal(KEY, b"lesion", PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SealedValueRefused, KeyUnknown)):
            open_sealed(KEY, bytes(changed), PLACE)
    for length in range(len(sealed)):
        with pytest.raises((SealedValueRefused, KeyUnknown)):
            open_sealed(KEY, sealed[:length], PLACE)
    with pytest.raises(SealedValueRefused):
        open_sealed(KEY, sealed + b"\0", PLACE)


def test_a_destroyed_key_is_told_apart_from_damage() -> None:
    class Erased:
        def key(self, key_id: str) -> bytes:
            raise KeyDestroyed(key_id=key_id)

    with pytest.raises(KeyDestroyed):
        open_sealed(Erased(), seal(KEY, b"x", PLACE), PLACE)


def test_errors_do_not_repeat_what_they_are_about() -> None:
    with pytest.raises(SealedValueRefused) as refused:
        open_json(KEY, seal_json(KEY, "Quatremains", PLACE)[:-1], PLACE)
    assert "Quatremains" not in f"{refused.value!r} {refused.value.facts}"


def test_the_blind_index_finds_equal_tokens_within_a_practice_only() -> None:
    mine, theirs = new_data_key(), new_data_key()
    stored = blind_index(mine, ["anna", "muller", "anna"])
    assert len(stored) == 2
    assert blind_index(mine, ["muller"])[0] == stored[1]
    assert not set(stored) & set(blind_index(theirs, ["anna", "muller"]))
    assert all(len(word) == 32 and int(word, 16) >= 0 for word in stored)
