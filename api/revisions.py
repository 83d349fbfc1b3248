"""Entity tags that are a row's revision, as ``If-Match: "3"`` (RFC 9110, section 13.1.1)."""

from typing import Annotated, Final

from fastapi import Header

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=64)]
_MAX_DIGITS: Final = 9
"""A revision is a 32-bit column: what is longer was never one, and is not asked of the database."""


def revision_in(tag: str) -> int | None:
    """The revision that an entity tag names, weak or strong; None for what never was a revision."""
    text = tag.strip().removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None
