"""``Upload-Concat``: parts of a file that go up side by side, and the upload that they are joined into (tus 1.0)."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from api.tus.protocol import UploadHeaderMissing
from infra.uploads import FINAL, PARTIAL
from schemas.errors import OdontoError
from schemas.translation import N_

_PART: Final = re.compile(r"(?:https?://[^/\s]+)?/api/v1/uploads/([A-Za-z0-9_-]{1,64})")
_MOST_PARTS: Final = 1000


class FinalUpload(OdontoError):
    code = "final_upload"
    status = 403
    title = N_("This upload is joined from parts and takes no bytes of its own.")


class Concatenation(NamedTuple):
    """``kind``: PARTIAL, FINAL, or None for an upload like any other. ``parts``: ids, in order, of a final one."""

    kind: str | None
    parts: tuple[str, ...] = ()


def concatenation(headers: Mapping[str, str]) -> Concatenation:
    """Raises UploadHeaderMissing for what cannot be read. The parts' addresses may be whole or paths."""
    text = headers.get("upload-concat")
    if text is None:
        return Concatenation(None)
    if text == "partial":
        return Concatenation(PARTIAL)
    kind, _, rest = text.partition(";")
    found = [_PART.fullmatch(address) for address in rest.split()]
    if kind != "final" or not 0 < len(found) <= _MOST_PARTS or None in found:
        raise UploadHeaderMissing("Upload-Concat is partial, or final; and the addresses of the parts.")
    return Concatenation(FINAL, tuple(each.group(1) for each in found if each))
