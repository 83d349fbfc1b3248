"""Errors are facts: each has a code for programs, a status for HTTP, and a sentence that tells the person what to do.

Neither the code nor the sentence ever holds PHI: they reach logs, Temporal failures and problem documents.
"""

from schemas.translation import N_


class OdontoError(Exception):
    """A fact that stops a request. Subclasses are named for the fact."""

    code: str = "internal"
    status: int = 500
    title: str = N_("Something went wrong on our side. Nothing was changed; please try again.")

    def __init__(self, detail: str | None = None, **facts: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.facts = facts


class NotFound(OdontoError):
    """Also the answer for another practice's object: the same bytes as for one that does not exist (SAFETY.md)."""

    code = "not_found"
    status = 404
    title = N_("There is nothing here, or it is not yours to see.")


class Forbidden(OdontoError):
    code = "forbidden"
    status = 403
    title = N_("Your role does not cover this, or not at this moment.")


class NotSignedIn(OdontoError):
    code = "not_signed_in"
    status = 401
    title = N_("Please sign in to go on. What you typed is kept.")


class InvalidInput(OdontoError):
    code = "invalid_input"
    status = 422
    title = N_("Some of the input needs another look.")


class StateConflict(OdontoError):
    code = "state_conflict"
    status = 409
    title = N_("The case has moved on; this step is not possible now.")


class EngineUnavailable(OdontoError):
    code = "engine_unavailable"
    status = 503
    title = N_("The case engine cannot be reached. Nothing was done and nothing is lost; please try again in a moment.")


class DatabaseUnavailable(OdontoError):
    """Whether a request that met it was done may be unknown; a repeat of it is harmless either way."""

    code = "database_unavailable"
    status = 503
    title = N_(
        "The records cannot be reached at the moment. Nothing is lost, and sending the same again does no harm; please try "
        "again in a moment."
    )
