"""A radiologist's registrations on the person's page."""

from datetime import date
from typing import Final

from schemas.lifecycle import Role
from schemas.people_forms import UserView
from schemas.registration_forms import RegistrationView
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import Chip, FormState
from ui.views.admin import RegistrationRow, RegistrationsView

NEW: Final = "new"
"""Stands for the form of one that is to be added, where others have their ids."""
JURISDICTION_UNREADABLE: Final = N_("Write the code of the country or state, such as CH or US-CA.")


def registrations_view(
    user: UserView, looker: Looker, url: str, wrong: tuple[str, FormState] | None = None
) -> RegistrationsView | None:
    """None for somebody who is no radiologist and has none. ``url`` is the list's address; ``wrong`` as in ``user_page``."""
    is_radiologist = any(member.role == Role.RADIOLOGIST for member in user.memberships)
    if not is_radiologist and not user.registrations:
        return None
    base = "" if user.id == looker.person.user_id else f"{url}/{user.id}/registrations"
    which, form = wrong or ("", FormState())
    return RegistrationsView(
        rows=tuple(_row(each, base, form if which == each.id else None) for each in user.registrations),
        add=form if which == NEW else FormState(),
        add_url=base if is_radiologist else "",
    )


def _row(registration: RegistrationView, base: str, wrong: FormState | None) -> RegistrationRow:
    return RegistrationRow(
        id=registration.id,
        jurisdiction=registration.jurisdiction,
        number=registration.number,
        valid_until=registration.valid_until,
        chip=Chip(icon="clock", word=N_("Lapsed"), tone="warn")
        if registration.lapsed
        else Chip(icon="check", word=N_("Valid"), tone="ok"),
        form=_form(registration, wrong),
        url=f"{base}/{registration.id}" if base else "",
    )


def _form(registration: RegistrationView, wrong: FormState | None) -> FormState:
    """With what the registration is now beside what is typed: whoever sends the form has seen that."""
    now = {"number": registration.number, **_parts(registration.valid_until)}
    seen = {"was_number": registration.number, "was_valid_until": str(registration.valid_until or "")}
    if wrong is not None:
        return FormState(values={**now, **wrong.values, **seen}, errors=wrong.errors, nonce=wrong.nonce)
    return FormState(values=now | seen)


def _parts(day: date | None) -> dict[str, str]:
    if day is None:
        return {}
    return {f"valid_until-{part}": str(getattr(day, part)) for part in ("day", "month", "year")}
