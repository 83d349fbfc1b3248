"""Conditional and partial answers: entity tags (RFC 9110 §13) and one range of bytes (§14)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from schemas.errors import OdontoError
from schemas.translation import N_

_RANGE: Final = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


class RangeNotSatisfiable(OdontoError):
    code = "range_not_satisfiable"
    status = 416
    title = N_("This part of the file does not exist. Content-Range says how many bytes it has.")


@dataclass(frozen=True)
class Content:
    """Something that can be sent from any byte on. ``read`` gives so many bytes from an offset, in pieces."""

    size: int
    etag: str
    headers: Mapping[str, str]
    read: Callable[[int, int], Iterator[bytes]]


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether the client has this very answer already (If-None-Match)."""
    tags = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag in tags or "*" in tags


def not_modified(etag: str, headers: Mapping[str, str]) -> Response:
    return Response(status_code=304, headers={**headers, "ETag": etag})


def wanted_range(headers: Mapping[str, str], etag: str, size: int) -> tuple[int, int] | None:
    """Offset and length of the range that is asked for; None for the whole: without one, for one of something older
    (If-Range), for several at once, and for what is no range. Raises RangeNotSatisfiable.
    """
    asked = _RANGE.fullmatch(headers.get("range", ""))
    if asked is None or headers.get("if-range", etag).strip() != etag:
        return None
    first, last = asked.groups()
    if not first:
        if not last:
            return None
        offset, end = max(size - int(last), 0), size
    else:
        offset, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < offset:
            return None
    if offset >= end:
        raise RangeNotSatisfiable()
    return offset, end - offset
