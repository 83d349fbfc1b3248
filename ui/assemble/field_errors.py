"""What is wrong with a field, in one sentence that says what to do."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from schemas.translation import N_
from ui.assemble.looker import Looker

_BY_FIELD: Final[Mapping[str, str]] = {
    "email": N_("Write an email address, such as name@example.org, or leave it empty."),
    "birth_date": N_("Write the date of birth with day, month and year."),
    "field_of_view_mm": N_("Write the size in millimetres, as a number up to 400."),
    "password": N_("Write your password."),
    "radiologist_id": N_("Choose a radiologist."),
    "approver_id": N_("Choose the second reader."),
    "grant_id": N_("Choose a link."),
    "kind": N_("Choose what kind of change it is."),
    "teeth": N_("Choose teeth that exist."),
}
_EMPTY: Final = frozenset({"missing", "string_too_short", "none_required"})


def sentences(errors: Iterable[Mapping[str, Any]], looker: Looker, prefix: int = 0) -> dict[str, str]:
    """One sentence a field, from pydantic's errors; ``prefix`` leaves out so many leading parts of where they are."""
    found: dict[str, str] = {}
    for error in errors:
        where = [str(part) for part in error["loc"][prefix:]]
        name = where[0] if where else ""
        found.setdefault(name, _sentence(name, error, looker))
    return found


def _sentence(name: str, error: Mapping[str, Any], looker: Looker) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "string_too_long":
        return looker.say(N_("Please shorten this to %(length)s characters."), length=context.get("max_length", ""))
    if name in _BY_FIELD:
        return looker.say(_BY_FIELD[name])
    if kind in _EMPTY:
        return looker.say(N_("Please fill this in."))
    if kind == "too_long":
        return looker.say(N_("At most %(length)s entries, please."), length=context.get("max_length", ""))
    return looker.say(N_("Please check this."))
