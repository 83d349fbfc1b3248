"""Why a start is refused, in one line."""

from typing import ClassVar

from schemas.errors import OdontoError


class StartRefused(OdontoError):
    """Something outside must change first; the detail says what."""

    code: ClassVar[str] = "start_refused"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "The system cannot start."
