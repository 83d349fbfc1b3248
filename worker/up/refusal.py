"""Why a start is refused, in one line."""

from schemas.errors import OdontoError
from schemas.translation import N_


class StartRefused(OdontoError):
    """Something outside must change first; the detail says what."""

    code = "start_refused"
    status = 503
    title = N_("The system cannot start.")
