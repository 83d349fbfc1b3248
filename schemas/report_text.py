"""The kinds of text that a report is made of, each with its bound.

Text is brought to Unicode NFC and freed of control characters and of bidirectional overrides: what a reader sees is what
was signed, and two spellings of one letter hash alike.
"""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from schemas.clinical import FDI_PATTERN

_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufeff\ufffe\uffff]")
_LINE_BREAKS: Final = re.compile("\r\n?|\u2028|\u2029")
_LONG_GAP: Final = re.compile(r"\n{3,}")


def clean_text(text: str) -> str:
    """NFC, line feeds only, at most one empty line in a row; without control characters and direction overrides."""
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))
    return _LONG_GAP.sub("\n\n", text).strip()


def clean_line(text: str) -> str:
    """`clean_text` on one line: every run of white space becomes one space."""
    return " ".join(clean_text(text).split())


Line = Annotated[str, AfterValidator(clean_line), Field(max_length=200)]
Caption = Annotated[str, AfterValidator(clean_line), Field(max_length=400)]
Paragraph = Annotated[str, AfterValidator(clean_text), Field(max_length=2_000)]
LongText = Annotated[str, AfterValidator(clean_text), Field(max_length=8_000)]
LocalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id inside a report (a finding, a key image): letters, digits, ``_`` and ``-``."""
Tooth = Annotated[str, StringConstraints(pattern=FDI_PATTERN)]
"""A tooth as it is stored: ISO 3950 (FDI), see `schemas.clinical.FDI_PATTERN`."""
Teeth = Annotated[tuple[Tooth, ...], Field(max_length=52)]
