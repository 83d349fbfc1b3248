"""A reader that a file took over says what it likes; it costs that file and no more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from activities.imaging.parser import child_process
from activities.imaging.parser.answers import bare_copy_of, examined_of, picture_of
from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import FileProblem, ProblemCode

SIZE: Final = 1000
JPEG: Final = b"\xff\xd8\xff"
DEEP: Final = b"[" * 100_000


def examined(facts: dict[str, Any], *blobs: bytes) -> object:
    return examined_of(facts, list(blobs), SIZE)


def pictured(facts: dict[str, Any], *blobs: bytes) -> object:
    return picture_of(facts, list(blobs))


def bare(facts: dict[str, Any], *blobs: bytes) -> object:
    return bare_copy_of(facts, list(blobs), SIZE)


@pytest.mark.parametrize(
    ("read", "facts", "blobs"),
    [
        (examined, {}, ()),
        (examined, {"kind": "photo", "photo": {"format": "JPEG"}}, ()),
        (examined, {"kind": "photo", "photo": {"format": "JPEG"}}, (b"<svg>",)),
        (examined, {"kind": "photo", "photo": []}, (JPEG,)),
        (examined, {"kind": "archive", "members": 7, "left_out": 0}, ()),
        (examined, {"kind": "program", "photo": {"format": "EXE"}}, ()),
        (examined, {"kind": "dicom", "problem": "a sentence of its own"}, ()),
        (pictured, {"width": 4, "height": 4}, ()),
        (pictured, {"width": 0, "height": 4}, (JPEG,)),
        (pictured, {"width": [], "height": {}}, (JPEG,)),
        (pictured, {"problem": ["x"]}, (JPEG,)),
        (pictured, {"problem": "a sentence of its own"}, (JPEG,)),
        (bare, {}, ()),
        (bare, {"pieces": []}, ()),
        (bare, {"pieces": [[0, SIZE + 1]]}, ()),
        (bare, {"pieces": [[0]]}, ()),
        (bare, {"pieces": ["no base64"]}, ()),
        (bare, {"pieces": 5}, ()),
    ],
)
def test_an_answer_that_does_not_hold_together_is_the_files_problem(
    read: Callable[..., object], facts: dict[str, Any], blobs: tuple[bytes, ...]
) -> None:
    with pytest.raises(FileProblem) as raised:
        read(facts, *blobs)
    assert raised.value.code is ProblemCode.UNSAFE


def test_metadata_without_end_is_the_files_problem() -> None:
    uid = {"study_uid": "1", "series_uid": "2", "sop_uid": "3", "sop_class_uid": "4", "transfer_syntax_uid": "5"}
    facts = uid | {"modality": "CT", "series_number": 1, "number": 1, "frames": 1, "rows": 1, "columns": 1}
    facts |= {"ranges": [[0, 1]], "transcoded": False, "burned_in": "no", "identity": {}, "window": None}
    facts |= {"spacing": None, "spacing_source": ""}
    assert examined({"kind": "dicom", "dicom": facts}, b"{}"), "the same is taken when its metadata is"
    with pytest.raises(FileProblem):
        examined({"kind": "dicom", "dicom": facts}, DEEP)


_SPEAKER: Final = """
import os, sys
sys.path.insert(0, {root!r})
from activities.imaging.parser.wire import FRAME, Type
def say(kind, payload):
    os.write(1, FRAME.pack(kind, len(payload)) + payload)
say(Type.HELLO, b'{{"isolated": true}}')
while os.read(0, 1 << 16):
    say({kind}, {payload!r})
"""


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("Type.ANSWER", b"no JSON"),
        ("Type.ANSWER", b"[]"),
        ("Type.ANSWER", b'{"kind": "photo"}'),
        ("Type.ANSWER", b'{"kind": "photo", "blobs": "many"}'),
        ("Type.ANSWER", json.dumps({"blobs": [0]}).encode()),
        ("Type.NEED", b"short"),
        ("Type.NEED", b"\x00" * 8 + b"\x00\x00\x10\x00"),
        ("Type.PIECE", b"unasked"),
        ("Type.HELLO", b""),
        ("250", b""),
    ],
)
def test_a_reader_that_breaks_the_protocol_costs_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, payload: bytes
) -> None:
    root = Path(child_process.__file__).parents[3]
    program = tmp_path / "speaker.py"
    program.write_text(_SPEAKER.format(root=str(root), kind=kind, payload=payload))
    monkeypatch.setattr(child_process, "_PROGRAM", program)
    with ParserPool(1) as pool:
        assert pool.examine(BytesSource(b"x" * 100)).problem is ProblemCode.UNSAFE
