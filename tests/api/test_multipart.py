"""Bodies of several parts, read piece by piece: the same however they are cut, and bounded before a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.imaging.multipart import Begin, MalformedMultipart, PartReader
from tests.api.test_stow import body_of


@given(
    parts=st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r\n--bo", b"\r\n", b"--bo.un-dary", b"\r\n\r\n--"]), max_size=4
    ),
    cuts=st.lists(st.integers(1, 40), max_size=30),
    preamble=st.sampled_from([b"", b"a word before"]),
)
def test_parts_are_the_same_however_the_body_is_cut(parts: list[bytes], cuts: list[int], preamble: bytes) -> None:
    whole = preamble + (body_of(*parts) if preamble else body_of(*parts).removeprefix(b"\r\n")) + b"\r\nan epilogue"
    reader, found = PartReader(b"bo.un-dary"), []
    for cut in (*cuts, len(whole)):
        for event in reader.feed(whole[:cut]):
            if isinstance(event, Begin):
                assert event.headers["content-type"] == "application/dicom"
                found.append(b"")
            else:
                found[-1] += event
        whole = whole[cut:]
    assert reader.is_whole
    assert found == parts


@pytest.mark.parametrize("endless", [b"p", b"\r\n--b\r\nname: ", b"\r\n--b   "], ids=["preamble", "headers", "padding"])
def test_what_stands_before_a_part_is_bounded(endless: bytes) -> None:
    reader = PartReader(b"b")
    list(reader.feed(endless))
    with pytest.raises(MalformedMultipart):
        for _ in range(100):
            list(reader.feed(b" " * 4096))
