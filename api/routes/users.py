"""Users and roles: of everybody for administrators, of one practice for its owners. The same routes twice."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.deps import AdminDep, PersonDep, ServicesDep, in_practice, policy
from api.invitations import Invitations
from api.realms import Realm
from api.services import Services
from api.users import change_role, disable, enable, find_users, invite, invite_again, user_view
from schemas.access import PracticeRight
from schemas.forms import Page
from schemas.people_forms import NewUser, Standing, UserSearch, UserView


@policy("administrator")
def everybody(person: AdminDep) -> Realm:
    return Realm(person)


@policy("practice: manage_users")
def own_practice(
    person: PersonDep, practice_id: Annotated[str, Depends(in_practice(PracticeRight.MANAGE_USERS))]
) -> Realm:
    return Realm(person, practice_id)


def invitations_of(services: Services) -> Invitations:
    return Invitations(services.database, services.keys, services.passwords)


def users_router(prefix: str, realm_of: Callable[..., Any]) -> APIRouter:
    router = APIRouter(prefix=prefix, tags=["users"])
    realm_dep = Depends(realm_of)

    @router.get("")
    def list_users(
        services: ServicesDep,
        realm: Realm = realm_dep,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> Page:
        """The first hundred, and the cursor of the next."""
        with services.database.read() as session:
            items, following = find_users(session, realm, UserSearch(cursor=cursor))
        return Page(items=items, next=following)

    @router.post("/search")
    def search_users(body: UserSearch, services: ServicesDep, realm: Realm = realm_dep) -> Page:
        """By name, address or organization."""
        with services.database.read() as session:
            items, following = find_users(session, realm, body)
        return Page(items=items, next=following)

    @router.post("", status_code=201)
    def invite_user(body: NewUser, services: ServicesDep, realm: Realm = realm_dep) -> UserView:
        """Adds somebody and mails them a link with which they choose a password, within three days."""
        with services.database.write() as session:
            user_id = invite(session, realm, invitations_of(services), body)
            return user_view(session, realm, user_id)

    @router.post("/{user_id}/invitation", status_code=202)
    def repeat_invitation(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> UserView:
        """A new link for somebody who has never signed in; earlier links are dead."""
        with services.database.write() as session:
            invite_again(session, realm, invitations_of(services), user_id)
            return user_view(session, realm, user_id)

    @router.post("/{user_id}/disable")
    def disable_user(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> UserView:
        """Signs the person out everywhere at once. For an owner: ends the membership of the practice."""
        with services.database.write() as session:
            disable(session, realm, user_id)
            return user_view(session, realm, user_id)

    @router.post("/{user_id}/enable")
    def enable_user(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> UserView:
        with services.database.write() as session:
            enable(session, realm, user_id)
            return user_view(session, realm, user_id)

    @router.put("/{user_id}/memberships/{organization_id}")
    def put_membership(
        user_id: str, organization_id: str, body: Standing, services: ServicesDep, realm: Realm = realm_dep
    ) -> UserView:
        """The person's role and flags in an organization; never one's own."""
        with services.database.write() as session:
            change_role(session, realm, user_id, organization_id, body)
            return user_view(session, realm, user_id)

    return router


admin_router = users_router("/api/v1/admin/users", everybody)
practice_router = users_router("/api/v1/practice/users", own_practice)
