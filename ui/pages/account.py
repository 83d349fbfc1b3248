"""One's own account: who one is, where one is signed in, access tokens, and the password."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError
from sqlmodel import col, select

from api.accounts import WrongOwnPassword, change_password, end_session, grant_token, open_sessions
from api.deps import PersonDep, ServicesDep, SessionsDep
from api.hashing import in_hashing
from api.services import Services
from infra.access_tokens import revoke_token, tokens_of
from infra.sessions import BROWSER, Sessions
from schemas.access import Person
from schemas.errors import OdontoError
from schemas.people_forms import ChosenPassword
from schemas.tables.people import Organization
from schemas.token_forms import NewTokenForm
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.assemble.people import ROLE_WORDS
from ui.assemble.tokens import tokens_view
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import Typed, TypedDep
from ui.views import AccountView, FormState, SessionRow

router: Final = APIRouter()


@router.get("/account")
def show_account(shell: ShellDep, services: ServicesDep) -> Response:
    return _page(services, shell, FormState(nonce=new_nonce()))


@router.get("/account/password")
def go_to_account(person: PersonDep) -> Response:
    """The address of a form that came back with an error, asked for anew."""
    return see_other("/account")


@router.post("/account/password")
async def choose_password(
    typed: TypedDep, shell: ShellDep, person: PersonDep, services: ServicesDep, sessions: SessionsDep
) -> Response:
    """Needs the present password; every other sign-in ends."""
    return await in_hashing(_choose_password, typed, shell, person, services, sessions)


def _choose_password(typed: Typed, shell: Shell, person: Person, services: Services, sessions: Sessions) -> Response:
    looker = shell.looker
    current, new = (str(typed.values.get(name) or "") for name in ("password", "new_password"))
    errors = {}
    try:
        ChosenPassword(password=new)
    except ValidationError:
        errors["new_password"] = looker.say(N_("Choose a password of at least 12 characters."))
    if new != str(typed.values.get("again") or ""):
        errors["again"] = looker.say(N_("The two passwords differ. Type the new one again."))
    if errors:
        return _page(services, shell, FormState(errors=errors, nonce=new_nonce()), status=422)
    try:
        change_password(services.database, sessions, services.passwords, person, current=current, new=new)
    except OdontoError as fact:
        form = FormState(errors={"password": looker.say(fact.detail)}, nonce=new_nonce())
        return _page(services, shell, form, status=fact.status)
    return see_other("/account", done="account.password")


@router.post("/account/sessions/{session_id}/end")
def end(session_id: str, person: PersonDep, services: ServicesDep) -> Response:
    with services.database.write() as session:
        end_session(session, person, session_id)
    return see_other("/account", done="account.session")


@router.get("/account/tokens")
def go_to_tokens(person: PersonDep) -> Response:
    """The address of a token that was shown once, asked for anew."""
    return see_other("/account")


@router.post("/account/tokens")
async def add_token(
    typed: TypedDep, shell: ShellDep, person: PersonDep, services: ServicesDep, sessions: SessionsDep
) -> Response:
    """Makes an access token and shows it, this once."""
    return await in_hashing(_add_token, typed, shell, person, services, sessions)


def _add_token(typed: Typed, shell: Shell, person: Person, services: Services, sessions: Sessions) -> Response:
    looker = shell.looker
    kept = {"label": typed.text("label"), "scopes": typed.many("scopes"), "days": typed.text("days")}
    errors = {}
    if not kept["label"]:
        errors["label"] = looker.say(N_("Give the token a name, so that you know it again."))
    if not kept["scopes"]:
        errors["scopes"] = looker.say(N_("Choose at least one thing that the token is for."))
    if not errors:
        try:
            form = NewTokenForm(**kept, password=str(typed.values.get("password") or ""))
            made = grant_token(services.database, sessions, person, form)
        except ValidationError:
            errors["label"] = looker.say(
                N_("Check what you entered: a name of at most 80 characters, and for how long.")
            )
        except OdontoError as fact:
            errors["password" if isinstance(fact, WrongOwnPassword) else "label"] = looker.say(fact.detail)
        else:
            return _page(services, shell, FormState(nonce=new_nonce()), made=made.token, status=201)
    again = FormState(values=kept, errors=errors, nonce=new_nonce())
    return _page(services, shell, FormState(nonce=new_nonce()), token_form=again, status=422)


@router.post("/account/tokens/{token_id}/revoke")
def revoke(token_id: str, person: PersonDep, services: ServicesDep) -> Response:
    with services.database.write() as session:
        revoke_token(session, person, token_id)
    return see_other("/account", done="account.token")


def _page(
    services: Services,
    shell: Shell,
    password: FormState,
    *,
    token_form: FormState | None = None,
    made: str = "",
    status: int = 200,
) -> Response:
    looker, person = shell.looker, shell.looker.person
    with services.database.read() as session:
        open_ones = open_sessions(session, person)
        tokens = tokens_of(session, person)
        ids = [member.organization_id for member in person.members]
        rows = session.exec(select(Organization.id, Organization.name).where(col(Organization.id).in_(ids))).all()
    names = dict(rows)
    view = AccountView(
        name=shell.user.name,
        email=shell.user.email,
        roles=tuple(
            f"{looker.say(ROLE_WORDS.get(member.role, member.role))}, {names.get(member.organization_id, '')}"
            for member in person.members
        ),
        sessions=tuple(
            SessionRow(
                word=looker.say(
                    N_("This browser") if one.is_this else N_("A browser") if one.kind == BROWSER else N_("A program")
                ),
                begun=one.begun_at,
                seen=one.seen_at,
                end_url="" if one.is_this else f"/account/sessions/{one.id}/end",
            )
            for one in open_ones
        ),
        tokens=tokens_view(tokens, looker, token_form or FormState(values={"days": "30"}, nonce=new_nonce()), made),
        password=password,
    )
    return answer("pages/account.html", shell.page(N_("Account"), "account"), status=status, view=view)
