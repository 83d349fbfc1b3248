"""One's own account: who one is, where one is signed in, and the password."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError
from sqlmodel import col, select

from api.accounts import change_password, end_session, open_sessions
from api.deps import PersonDep, ServicesDep, SessionsDep
from api.hashing import in_hashing
from api.services import Services
from infra.sessions import BROWSER, Sessions
from schemas.access import Person
from schemas.errors import OdontoError
from schemas.people_forms import ChosenPassword
from schemas.tables.people import Organization
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.assemble.people import ROLE_WORDS
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


def _page(services: Services, shell: Shell, password: FormState, *, status: int = 200) -> Response:
    looker, person = shell.looker, shell.looker.person
    with services.database.read() as session:
        open_ones = open_sessions(session, person)
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
        password=password,
    )
    return answer("pages/account.html", shell.page(N_("Account"), "account"), status=status, view=view)
