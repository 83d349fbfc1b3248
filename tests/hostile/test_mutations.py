"""Good files with a few bytes changed, left out or put in: the reader's own code answers with its problems and no others."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.seeds import seeds
from tests.hostile.target import read

SEEDS = seeds()
_LENGTHS = st.sampled_from([struct.pack("<I", n) for n in (0, 1, 7, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF)])
_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(_LENGTHS, st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=6,
)


def changed(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for what, place, new in changes:
        at = int(place * len(content))
        after = at if what == "insert" else at + len(new)
        content = content[:at] if what == "cut" else content[:at] + (b"" if what == "delete" else new) + content[after:]
    return content


@given(st.integers(0, len(SEEDS) - 1), _CHANGES)
@settings(deadline=None)
def test_a_changed_file_is_read_or_refused(seed: int, changes: list[tuple[str, float, bytes]]) -> None:
    read(changed(SEEDS[seed], changes))
