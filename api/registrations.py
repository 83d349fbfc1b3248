"""A radiologist's registrations, for administrators. Assignment, acceptance and signature read the same table."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from api.realms import Realm, audit, memberships_of, need_other
from infra.database import now
from schemas.errors import InvalidInput, NotFound, StateConflict
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.registration_forms import (
    NewRegistration,
    RegistrationFacts,
    RegistrationView,
    last_day_before,
    moment_after,
)
from schemas.tables.people import Registration
from schemas.translation import N_


class RegistrationExists(StateConflict):
    code = "registration_exists"
    title = N_(
        "This radiologist has another registration in that country or state. Change that one on the person's page."
    )


class RegistrationChanged(StateConflict):
    code = "registration_changed"
    title = N_("Somebody else changed this registration meanwhile. Look at it as it is now, then decide again.")


class NotARadiologist(InvalidInput):
    code = "not_a_radiologist"
    title = N_("Only radiologists have registrations.")


def registrations_of(session: Session, user_ids: Sequence[str]) -> dict[str, list[RegistrationView]]:
    """By person, in the order of their jurisdictions."""
    rows = session.exec(
        select(Registration).where(col(Registration.user_id).in_(user_ids)).order_by(col(Registration.jurisdiction))
    ).all()
    moment = now()
    found: dict[str, list[RegistrationView]] = {}
    for row in rows:
        found.setdefault(row.user_id, []).append(
            RegistrationView(
                id=row.id,
                jurisdiction=row.jurisdiction,
                number=row.number,
                valid_until=last_day_before(row.valid_until),
                lapsed=row.valid_until is not None and row.valid_until <= moment,
            )
        )
    return found


def register(session: Session, user_id: str, new: NewRegistration) -> str | None:
    """The id of the new row; None where the very same is there already. Raises RegistrationExists."""
    known = session.exec(
        select(Registration).where(Registration.user_id == user_id, Registration.jurisdiction == new.jurisdiction)
    ).one_or_none()
    if known is not None:
        if not _is(known, new):
            raise RegistrationExists()
        return None
    row = Registration(
        id=new_id("mem"),
        user_id=user_id,
        jurisdiction=new.jurisdiction,
        number=new.number,
        valid_until=moment_after(new.valid_until),
    )
    session.add(row)
    session.flush()
    return row.id


def add_registration(session: Session, realm: Realm, user_id: str, new: NewRegistration) -> None:
    """Sent twice, it adds one. Raises NotARadiologist, RegistrationExists."""
    need_other(session, realm, user_id)
    if not any(row.role == Role.RADIOLOGIST for row in memberships_of(session, realm, user_id)):
        raise NotARadiologist()
    registration_id = register(session, user_id, new)
    if registration_id is not None:
        _note(session, realm, "add", user_id, registration_id=registration_id, jurisdiction=new.jurisdiction)


def change_registration(
    session: Session,
    realm: Realm,
    user_id: str,
    registration_id: str,
    facts: RegistrationFacts,
    *,
    was: RegistrationFacts,
) -> None:
    """Sent twice, it changes once. Raises NotFound, RegistrationChanged."""
    need_other(session, realm, user_id)
    row = _row(session, user_id, registration_id)
    if row is None:
        raise NotFound()
    if _is(row, facts):
        return
    if not _is(row, was):
        raise RegistrationChanged()
    row.number, row.valid_until = facts.number, moment_after(facts.valid_until)
    session.flush()
    _note(session, realm, "change", user_id, registration_id=row.id, jurisdiction=row.jurisdiction)


def remove_registration(
    session: Session, realm: Realm, user_id: str, registration_id: str, was: RegistrationFacts | None = None
) -> None:
    """What is gone already stays gone. Raises RegistrationChanged where it is not as it was seen."""
    need_other(session, realm, user_id)
    row = _row(session, user_id, registration_id)
    if row is None:
        return
    if was is not None and not _is(row, was):
        raise RegistrationChanged()
    jurisdiction = row.jurisdiction
    session.delete(row)
    session.flush()
    _note(session, realm, "remove", user_id, registration_id=registration_id, jurisdiction=jurisdiction)


def _row(session: Session, user_id: str, registration_id: str) -> Registration | None:
    return session.exec(
        select(Registration).where(Registration.id == registration_id, Registration.user_id == user_id)
    ).one_or_none()


def _is(row: Registration, facts: RegistrationFacts) -> bool:
    return (row.number, last_day_before(row.valid_until)) == (facts.number, facts.valid_until)


def _note(session: Session, realm: Realm, act: str, user_id: str, **detail: str) -> None:
    """The id and the code of the place: what a number was is in no trail."""
    audit(session, realm, f"user.registration.{act}", user_id, **detail)
