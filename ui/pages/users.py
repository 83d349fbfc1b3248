"""Users and roles: of everybody at ``/admin/users``, of one's own practice at ``/practice/users``."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError
from sqlmodel import Session, col, select

from api.deps import Public, ServicesDep
from api.hashing import in_hashing
from api.invitations import InvitationOver
from api.realms import Realm
from api.registrations import RegistrationExists
from api.routes.users import everybody, invitations_of, own_practice
from api.services import Services
from api.users import change_role, disable, enable, find_users, invite, invite_again, user_view
from schemas.access import OrganizationKind
from schemas.errors import InvalidInput, NotFound, OdontoError, StateConflict
from schemas.people_forms import ChosenPassword, NewUser, Standing, UserSearch
from schemas.tables.people import Organization
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.assemble.people import role_options, user_page, user_row
from ui.assemble.registrations import JURISDICTION_UNREADABLE
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import Typed, TypedDep
from ui.views import FormState, Option, Page, UsersView
from ui.views.admin import WelcomeView

_SENTENCES: Final = {
    "name": N_("Write the person's name."),
    "email": N_("Write an email address, such as name@practice.example."),
    "organization_id": N_("Choose the organization."),
    "role": N_("Choose a role."),
    "registration_number": N_("A registration needs its number and its country or state."),
    "jurisdiction": JURISDICTION_UNREADABLE,
}


def users_pages(url: str, title: str, key: str, realm_of: Callable[..., Any]) -> APIRouter:
    """The pages of one realm, at ``url``."""
    router = APIRouter(prefix=url)
    realm_dep = Depends(realm_of)

    def shown(
        shell: Shell,
        services: Services,
        realm: Realm,
        *,
        search: UserSearch | None = None,
        form: FormState | None = None,
        status: int = 200,
    ) -> Response:
        looker = shell.looker
        wanted = search or UserSearch()
        with services.database.read() as session:
            users, following = find_users(session, realm, wanted)
            organizations = _organizations(session) if realm.organization_id is None else ()
        kinds = tuple(OrganizationKind) if realm.organization_id is None else (OrganizationKind.PRACTICE,)
        view = UsersView(
            url=url,
            rows=tuple(user_row(user, looker, url) for user in users),
            invite=form or FormState(nonce=new_nonce()),
            roles=role_options(looker, kinds),
            organizations=organizations,
            search=FormState(values={"q": wanted.text}),
            next_url=f"{url}?after={following}" if following and not wanted.text else "",
        )
        return answer("pages/users.html", shell.page(looker.say(title), key), status=status, view=view)

    def one(
        shell: Shell, services: Services, realm: Realm, user_id: str, wrong: tuple[str, FormState] | None = None
    ) -> Response:
        return user_answer(shell, services, realm, user_id, url, key, wrong)

    @router.get("")
    def list_users(shell: ShellDep, services: ServicesDep, realm: Realm = realm_dep, after: str = "") -> Response:
        return shown(shell, services, realm, search=UserSearch(cursor=after[:100] or None))

    @router.post("/search")
    def search_users(typed: TypedDep, shell: ShellDep, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        return shown(shell, services, realm, search=UserSearch(text=typed.text("q")[:100]))

    @router.post("")
    def invite_user(typed: TypedDep, shell: ShellDep, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        try:
            with services.database.write() as session:
                invite(session, realm, invitations_of(services), _new_user(typed, realm))
        except (ValidationError, InvalidInput, StateConflict) as error:
            form = typed.again(_errors(error, shell))
            return shown(shell, services, realm, form=form, status=422)
        return see_other(url, done="user.invited")

    @router.get("/{user_id}")
    def show_user(user_id: str, shell: ShellDep, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        return one(shell, services, realm, user_id)

    @router.post("/{user_id}/invitation")
    def repeat_invitation(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        with services.database.write() as session:
            invite_again(session, realm, invitations_of(services), user_id)
        return see_other(f"{url}/{user_id}", done="user.invited")

    @router.post("/{user_id}/disable")
    def disable_user(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        with services.database.write() as session:
            disable(session, realm, user_id)
        return see_other(url, done="user.disabled")

    @router.post("/{user_id}/enable")
    def enable_user(user_id: str, services: ServicesDep, realm: Realm = realm_dep) -> Response:
        with services.database.write() as session:
            enable(session, realm, user_id)
        return see_other(url, done="user.enabled")

    @router.post("/{user_id}/roles/{organization_id}")
    def change_user_role(
        user_id: str,
        organization_id: str,
        typed: TypedDep,
        shell: ShellDep,
        services: ServicesDep,
        realm: Realm = realm_dep,
    ) -> Response:
        try:
            standing = Standing.model_validate(
                {"role": typed.text("role"), "owner": typed.ticked("owner"), "approver": typed.ticked("approver")}
            )
            with services.database.write() as session:
                change_role(session, realm, user_id, organization_id, standing)
        except (ValidationError, InvalidInput) as error:
            return one(shell, services, realm, user_id, (organization_id, typed.again(_errors(error, shell))))
        return see_other(f"{url}/{user_id}", done="user.saved")

    return router


def user_answer(
    shell: Shell,
    services: Services,
    realm: Realm,
    user_id: str,
    url: str,
    key: str,
    wrong: tuple[str, FormState] | None = None,
    *,
    status: int = 422,
) -> Response:
    """One person's page. ``wrong``: which form could not be saved, and how it was typed; ``status`` is then the answer's."""
    with services.database.read() as session:
        user = user_view(session, realm, user_id)
    view = user_page(user, shell.looker, url, wrong, has_registrations=realm.organization_id is None)
    return answer("pages/user.html", shell.page(user.name, key), status=status if wrong else 200, view=view)


def _organizations(session: Session) -> tuple[Option, ...]:
    rows = session.exec(select(Organization.id, Organization.name).order_by(col(Organization.name))).all()
    return tuple(Option(value=organization_id, word=name) for organization_id, name in rows)


def _new_user(typed: Typed, realm: Realm) -> NewUser:
    names = ("name", "email", "role", "organization_id", "registration_number", "jurisdiction")
    fields = {name: typed.text(name) for name in names}
    if realm.organization_id is not None:
        fields["organization_id"] = realm.organization_id
    return NewUser.model_validate(fields)


def _errors(error: Exception, shell: Shell) -> dict[str, str]:
    say = shell.looker.say
    if isinstance(error, ValidationError):
        names = [str(each["loc"][0]) if each["loc"] else "registration_number" for each in error.errors()]
        return {name: say(_SENTENCES.get(name, InvalidInput.title)) for name in names}
    detail = error.detail if isinstance(error, OdontoError) else InvalidInput.title
    if isinstance(error, RegistrationExists):
        return {"registration_number": say(detail)}
    return {"role" if isinstance(error, InvalidInput) else "email": say(detail)}


admin_router: Final = users_pages("/admin/users", N_("Users"), "users", everybody)
practice_router: Final = users_pages("/practice/users", N_("Users of the practice"), "practice_users", own_practice)

welcome_router: Final = APIRouter(prefix="/welcome", dependencies=[Public])

PASSWORD_SHORT: Final = N_("Choose at least 12 characters.")
PASSWORDS_DIFFER: Final = N_("The two passwords are not the same.")


@welcome_router.api_route("/{token}", methods=["GET", "HEAD"])
def show_welcome(token: str, services: ServicesDep) -> Response:
    """Looking consumes nothing."""
    return _welcome(token, services, FormState())


@welcome_router.post("/{token}")
async def choose_password(token: str, typed: TypedDep, services: ServicesDep) -> Response:
    return await in_hashing(_choose_password, token, typed, services)


def _choose_password(token: str, typed: Typed, services: Services) -> Response:
    first, second = (_exactly(typed, name) for name in ("password", "again"))
    try:
        chosen = ChosenPassword.model_validate({"password": first}).password.get_secret_value()
    except ValidationError:
        return _welcome(token, services, FormState(errors={"password": PASSWORD_SHORT}), status=422)
    if first != second:
        return _welcome(token, services, FormState(errors={"again": PASSWORDS_DIFFER}), status=422)
    try:
        invitations_of(services).accept(token, chosen)
    except InvitationOver:
        return _welcome(token, services, FormState())
    return see_other("/sign-in", done="user.welcome")


def _exactly(typed: Typed, name: str) -> str:
    """A space may be part of a password."""
    found = typed.values.get(name, "")
    return found if isinstance(found, str) else ""


def _welcome(token: str, services: Services, form: FormState, *, status: int = 200) -> Response:
    try:
        email = invitations_of(services).read(token).email
    except (InvitationOver, NotFound):
        email, status = "", InvitationOver.status
    page = Page(title=N_("Choose your password"))
    return answer(
        "pages/welcome.html", page, status=status, view=WelcomeView(url=f"/welcome/{token}", email=email, form=form)
    )
