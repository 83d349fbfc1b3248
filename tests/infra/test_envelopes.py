"""An actor envelope is believed only as the API signed it: whole, in time, for its case and step."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.envelopes import (
    CLOCK_SKEW,
    EnvelopeExpired,
    EnvelopeForAnotherCase,
    EnvelopeForAnotherStep,
    EnvelopeForged,
    KeyRing,
    sign_envelope,
    verify_envelope,
)
from schemas.actors import ActorClaims, ActorEnvelope

NOW = datetime(2026, 11, 3, 9, 30, 15, 123456, tzinfo=UTC)
RING = KeyRing("k2", {"k1": b"\x01" * 32, "k2": b"\x02" * 32})

names = st.text(min_size=1, max_size=20)
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
claims = st.builds(
    ActorClaims,
    user_id=names,
    org_id=st.none() | names,
    role=names,
    relation=names,
    session_id=names,
    case_id=names,
    command_id=names,
    action=names,
    issued_at=moments,
    expires_at=moments,
    facts_hash=st.just("") | names,
    fresh_auth=st.booleans(),
)
OTHER: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        ("user_id", "role", "relation", "session_id", "case_id", "command_id", "action", "facts_hash"), names
    ),
    "org_id": st.none() | names,
    "issued_at": moments,
    "expires_at": moments,
    "fresh_auth": st.booleans(),
    "key_id": st.sampled_from(["k1", "k2", "k3", ""]),
    "mac": st.from_regex(r"\A[0-9a-f]{64}\Z"),
}


def envelope(**changes: Any) -> ActorEnvelope:
    fields: dict[str, Any] = {
        "user_id": "usr_1",
        "org_id": "org_1",
        "role": "dentist",
        "relation": "own",
        "session_id": "ses_1",
        "case_id": "case_1",
        "command_id": "cmd_1",
        "action": "submit",
        "issued_at": NOW,
        "expires_at": NOW + timedelta(minutes=2),
    }
    return sign_envelope(ActorClaims(**fields | changes), RING)


def test_every_field_is_covered_by_these_tests() -> None:
    assert set(OTHER) == set(ActorEnvelope.model_fields)


@given(claims)
def test_what_was_signed_is_believed_after_a_trip_through_json(said: ActorClaims) -> None:
    read = ActorEnvelope.model_validate_json(sign_envelope(said, RING).model_dump_json())
    try:
        believed = verify_envelope(read, RING, case_id=said.case_id, now=said.issued_at)
    except EnvelopeExpired:
        assert said.expires_at <= said.issued_at
    else:
        assert believed.model_dump(exclude={"mac", "key_id"}) == said.model_dump()


@given(claims, st.data())
def test_any_single_changed_field_is_refused(said: ActorClaims, data: st.DataObject) -> None:
    signed = sign_envelope(said, RING)
    field = data.draw(st.sampled_from(sorted(OTHER)))
    value = data.draw(OTHER[field].filter(lambda new: new != getattr(signed, field)))
    forged = signed.model_copy(update={field: value})
    with pytest.raises(EnvelopeForged):
        verify_envelope(forged, RING, case_id=forged.case_id, now=said.issued_at)


def test_text_cannot_move_from_one_field_to_the_next() -> None:
    signed = envelope(user_id="a", org_id="bc")
    with pytest.raises(EnvelopeForged):
        verify_envelope(signed.model_copy(update={"user_id": "ab", "org_id": "c"}), RING, case_id="case_1", now=NOW)


def test_old_keys_of_the_ring_still_verify_and_removed_ones_do_not() -> None:
    old = sign_envelope(envelope(), KeyRing("k1", {"k1": RING.keys["k1"]}))
    assert verify_envelope(old, RING, case_id="case_1", now=NOW).user_id == "usr_1"
    with pytest.raises(EnvelopeForged):
        verify_envelope(old, KeyRing("k2", {"k2": RING.keys["k2"]}), case_id="case_1", now=NOW)


def test_it_serves_one_case_and_one_step_only() -> None:
    signed = envelope()
    verify_envelope(signed, RING, case_id="case_1", now=NOW, action="submit", command_id="cmd_1")
    with pytest.raises(EnvelopeForAnotherCase):
        verify_envelope(signed, RING, case_id="case_2", now=NOW)
    with pytest.raises(EnvelopeForAnotherStep):
        verify_envelope(signed, RING, case_id="case_1", now=NOW, action="cancel")
    with pytest.raises(EnvelopeForAnotherStep):
        verify_envelope(signed, RING, case_id="case_1", now=NOW, command_id="cmd_2")


def test_it_ends_at_its_time_and_bears_a_clock_a_little_ahead() -> None:
    signed = envelope()
    verify_envelope(signed, RING, case_id="case_1", now=signed.expires_at - timedelta(microseconds=1))
    verify_envelope(signed, RING, case_id="case_1", now=NOW - CLOCK_SKEW)
    for now in (signed.expires_at, NOW - CLOCK_SKEW - timedelta(microseconds=1)):
        with pytest.raises(EnvelopeExpired):
            verify_envelope(signed, RING, case_id="case_1", now=now)


def test_the_same_moment_in_another_zone_is_the_same_claim() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert envelope(issued_at=local).mac == envelope().mac


def test_a_ring_needs_its_newest_key_and_never_shows_keys() -> None:
    with pytest.raises(ValueError, match="newest"):
        KeyRing("k9", {"k1": b"1"})
    assert "\\x01" not in repr(RING)
