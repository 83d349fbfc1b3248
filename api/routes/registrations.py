"""A radiologist's registrations, for administrators: a practice's owner has no say over a reading group's people."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import ServicesDep
from api.realms import Realm
from api.registrations import add_registration, change_registration, remove_registration
from api.routes.users import everybody
from api.users import user_view
from schemas.people_forms import UserView
from schemas.registration_forms import ChangedRegistration, NewRegistration, RegistrationFacts

router = APIRouter(prefix="/api/v1/admin/users/{user_id}/registrations", tags=["users"])
EverybodyDep = Annotated[Realm, Depends(everybody)]


@router.post("", status_code=201)
def post_registration(user_id: str, body: NewRegistration, services: ServicesDep, realm: EverybodyDep) -> UserView:
    """One a country or state; from now on cases of practices there can be given to the radiologist."""
    with services.database.write() as session:
        add_registration(session, realm, user_id, body)
        return user_view(session, realm, user_id)


@router.put("/{registration_id}")
def put_registration(
    user_id: str, registration_id: str, body: ChangedRegistration, services: ServicesDep, realm: EverybodyDep
) -> UserView:
    """Its number and last day. ``was`` is what they were when they were read: 409 where somebody changed them since."""
    facts = RegistrationFacts(number=body.number, valid_until=body.valid_until)
    with services.database.write() as session:
        change_registration(session, realm, user_id, registration_id, facts, was=body.was)
        return user_view(session, realm, user_id)


@router.delete("/{registration_id}")
def delete_registration(user_id: str, registration_id: str, services: ServicesDep, realm: EverybodyDep) -> UserView:
    """No new case from there; open cases stay with the radiologist. Sent again, it does nothing."""
    with services.database.write() as session:
        remove_registration(session, realm, user_id, registration_id)
        return user_view(session, realm, user_id)
