"""Why a start is refused, in one line."""

from schemas.errors import OdontoError


class StartRefused(OdontoError):
    """Something outside must change first; the detail says what."""

    code = "start_refused"
    status = 503
    title = "The system cannot start."
