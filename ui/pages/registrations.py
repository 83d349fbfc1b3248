"""A radiologist's registrations on the person's page, for administrators."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from api.deps import ServicesDep
from api.realms import Realm
from api.registrations import (
    RegistrationChanged,
    RegistrationExists,
    add_registration,
    change_registration,
    remove_registration,
)
from api.routes.users import everybody
from schemas.errors import InvalidInput, NotFound, OdontoError
from schemas.registration_forms import NewRegistration, RegistrationFacts
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.registrations import JURISDICTION_UNREADABLE, NEW
from ui.pages.answers import see_other
from ui.pages.form_fields import read_date
from ui.pages.shell import ShellDep
from ui.pages.typed import FormExpired, Typed, TypedDep
from ui.pages.users import user_answer

_LIST: Final = "/admin/users"
_PARTS: Final = ("day", "month", "year")
_SENTENCES: Final = {
    "jurisdiction": JURISDICTION_UNREADABLE,
    "number": N_("Write the registration's number, in at most 60 characters."),
    "valid_until": N_("Write the last day with day, month and year, or leave all three empty."),
}
CHANGED_HERE: Final = N_(
    "Somebody else changed this registration meanwhile: it is shown as it is now. Save again to replace that with what you "
    "typed."
)
REMOVED_HERE: Final = N_("Somebody else removed this registration meanwhile. Add it again if it is needed.")

router: Final = APIRouter(prefix=_LIST + "/{user_id}/registrations")
EverybodyDep = Annotated[Realm, Depends(everybody)]


@router.post("")
def add(user_id: str, typed: TypedDep, shell: ShellDep, services: ServicesDep, realm: EverybodyDep) -> Response:
    try:
        new = NewRegistration.model_validate(_facts(typed) | {"jurisdiction": typed.text("jurisdiction")})
        with services.database.write() as session:
            add_registration(session, realm, user_id, new)
    except (ValidationError, RegistrationExists) as error:
        wrong = NEW, typed.again(_errors(error, shell.looker))
        return user_answer(shell, services, realm, user_id, _LIST, "users", wrong)
    return see_other(f"{_LIST}/{user_id}", done="registration.added")


@router.post("/{registration_id}")
def change(
    user_id: str,
    registration_id: str,
    typed: TypedDep,
    shell: ShellDep,
    services: ServicesDep,
    realm: EverybodyDep,
) -> Response:
    was, which, status = _seen(typed), registration_id, 422
    try:
        facts = RegistrationFacts.model_validate(_facts(typed))
        with services.database.write() as session:
            change_registration(session, realm, user_id, registration_id, facts, was=was)
    except ValidationError as error:
        errors = _errors(error, shell.looker)
    except RegistrationChanged as error:
        errors, status = {"number": shell.looker.say(CHANGED_HERE)}, error.status
    except NotFound:
        errors, which, status = {"number": shell.looker.say(REMOVED_HERE)}, NEW, RegistrationChanged.status
    else:
        return see_other(f"{_LIST}/{user_id}", done="registration.changed")
    wrong = which, typed.again(errors)
    return user_answer(shell, services, realm, user_id, _LIST, "users", wrong, status=status)


@router.post("/{registration_id}/remove")
def remove(
    user_id: str,
    registration_id: str,
    typed: TypedDep,
    shell: ShellDep,
    services: ServicesDep,
    realm: EverybodyDep,
) -> Response:
    was = _seen(typed)
    try:
        with services.database.write() as session:
            remove_registration(session, realm, user_id, registration_id, was)
    except RegistrationChanged as error:
        wrong = registration_id, typed.again({"number": shell.looker.say(error.detail)})
        return user_answer(shell, services, realm, user_id, _LIST, "users", wrong, status=error.status)
    return see_other(f"{_LIST}/{user_id}", done="registration.removed")


def _facts(typed: Typed) -> dict[str, Any]:
    """A date of which a part was typed is one, or wrong; nothing at all is no end."""
    dated = any(typed.text(f"valid_until-{part}") for part in _PARTS)
    day = read_date(typed, "valid_until")
    return {"number": typed.text("number"), "valid_until": (day or "unreadable") if dated else None}


def _seen(typed: Typed) -> RegistrationFacts:
    """What the registration was when the page was opened. Raises FormExpired: no page of ours lacks it."""
    try:
        return RegistrationFacts.model_validate(
            {"number": typed.text("was_number"), "valid_until": typed.text("was_valid_until") or None}
        )
    except ValidationError:
        raise FormExpired() from None


def _errors(error: Exception, looker: Looker) -> dict[str, str]:
    if isinstance(error, ValidationError):
        names = [str(each["loc"][0]) for each in error.errors()]
        return {name: looker.say(_SENTENCES.get(name, InvalidInput.title)) for name in names}
    return {"jurisdiction": looker.say(error.detail if isinstance(error, OdontoError) else InvalidInput.title)}
