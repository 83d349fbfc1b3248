"""Signing in and out, and how the pages look to the person."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import col, select

from api.deps import SESSION_COOKIE, PersonDep, Public, ServicesDep, SessionsDep
from api.hashing import in_hashing
from api.routes.auth import client_address
from api.services import Services
from infra.demo_accounts import DEMO_MAIL, DEMO_PASSWORD
from infra.sessions import BROWSER, Sessions, SignedIn, TooManyTries, WrongCredentials
from infra.settings import Settings
from infra.translation import translations
from schemas.errors import Forbidden, NotFound, NotSignedIn
from schemas.lifecycle import Role
from schemas.tables.people import Membership, User
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.assemble.people import ROLE_WORDS
from ui.pages.answers import answer, reader_of, referring_path, same_site, see_other
from ui.pages.shell import theme_of
from ui.pages.typed import Typed, TypedDep
from ui.views import FormState, Page, Person, ResumeView, SignInView

router: Final = APIRouter()

_CLEAR: Final = '"cache", "storage"'


def embedded(services: ServicesDep) -> Settings:
    """Raises NotFound in production: there are no demo accounts there."""
    if services.settings.mode != "embedded":
        raise NotFound()
    return services.settings


@router.get("/sign-in", dependencies=[Public])
def show_sign_in(request: Request, services: ServicesDep, next: str = "", ended: bool = False) -> Response:
    notice = N_("You are signed out.") if ended else ""
    if next and not ended:
        notice = N_("Please sign in to go on. You come back to the page that you asked for.")
    return _sign_in_page(request, services, FormState(nonce=new_nonce()), next_url=same_site(next, ""), notice=notice)


@router.post("/sign-in", dependencies=[Public])
async def sign_in(typed: TypedDep, request: Request, services: ServicesDep, sessions: SessionsDep) -> Response:
    """Opens a session under a new id; one that the browser had before ends."""
    return await in_hashing(_sign_in, typed, request, services, sessions)


def _sign_in(typed: Typed, request: Request, services: Services, sessions: Sessions) -> Response:
    next_url = same_site(typed.text("next"), "")
    say = translations(reader_of(request).locale).gettext
    errors = {
        name: say(sentence)
        for name, sentence in (("email", N_("Write your email address.")), ("password", N_("Write your password.")))
        if not typed.values.get(name)
    }
    if errors:
        return _sign_in_page(request, services, typed.again(errors), next_url=next_url, typed=typed, status=422)
    try:
        signed_in = sessions.sign_in(typed.text("email"), _password(typed), BROWSER, client_address(request))
    except (WrongCredentials, TooManyTries) as fact:
        form = typed.again({"password": say(fact.detail)})
        return _sign_in_page(request, services, form, next_url=next_url, typed=typed, status=fact.status)
    return _welcome(request, services, sessions, signed_in, next_url or "/", typed=typed)


@router.get("/sign-in/demo", dependencies=[Public])
def go_to_sign_in() -> Response:
    return see_other("/sign-in")


@router.post("/sign-in/demo", dependencies=[Public])
async def sign_in_as_demo(
    typed: TypedDep,
    request: Request,
    services: ServicesDep,
    sessions: SessionsDep,
    settings: Annotated[Settings, Depends(embedded)],
) -> Response:
    """One click instead of the demo's public password. Embedded mode only."""
    return await in_hashing(_sign_in_as_demo, typed, request, services, sessions)


def _sign_in_as_demo(typed: Typed, request: Request, services: Services, sessions: Sessions) -> Response:
    email = typed.text("email")
    if not email.endswith(DEMO_MAIL):
        raise NotFound()
    try:
        signed_in = sessions.sign_in(email, DEMO_PASSWORD, BROWSER, client_address(request))
    except (WrongCredentials, TooManyTries) as fact:
        said = translations(reader_of(request).locale).gettext(fact.detail)
        form = FormState(values={"email": email}, errors={"password": said}, nonce=new_nonce())
        return _sign_in_page(request, services, form, status=fact.status)
    return _welcome(request, services, sessions, signed_in, same_site(typed.text("next"), "/"))


@router.post("/sign-out")
def sign_out(person: PersonDep, sessions: SessionsDep) -> Response:
    sessions.end(person)
    response = see_other("/sign-in?ended=true")
    response.delete_cookie(SESSION_COOKIE, path="/")
    response.headers["Clear-Site-Data"] = _CLEAR
    return response


@router.post("/account/theme")
def choose_theme(typed: TypedDep, request: Request, person: PersonDep, services: ServicesDep) -> Response:
    with services.database.write() as session:
        session.get_one(User, person.user_id).theme = theme_of(typed.text("theme"))
    return see_other(referring_path(request))


def _password(typed: Typed) -> str:
    """Exactly as typed: a space may be part of it."""
    password = typed.values.get("password", "")
    return password if isinstance(password, str) else ""


def _welcome(
    request: Request,
    services: Services,
    sessions: Sessions,
    signed_in: SignedIn,
    next_url: str,
    *,
    typed: Typed | None = None,
) -> Response:
    """On to the page that was asked for; or to the form that could not be sent, which is then sent by hand."""
    _end_former(request, sessions)
    resume_url = same_site(typed.text("resume"), "") if typed else ""
    owner = typed.text("resume_owner") if typed else ""
    if owner and owner != sessions.owner(signed_in.token):
        # Somebody else typed it: it is neither shown to this person nor sent as theirs.
        resume_url, next_url = "", "/"
    response: Response = see_other(next_url)
    if typed and resume_url:
        view = ResumeView(url=resume_url, back_url=next_url, kept=typed.kept())
        response = answer("pages/resume.html", Page(title=N_("Signed in"), reader=reader_of(request)), view=view)
    response.set_cookie(
        SESSION_COOKIE,
        signed_in.token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=services.settings.base_url.startswith("https:"),
    )
    return response


def _end_former(request: Request, sessions: Sessions) -> None:
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        return
    try:
        sessions.end(sessions.person(token))
    except (NotSignedIn, Forbidden):
        return


def ask_again(request: Request, typed: Typed, *, resume_url: str, next_url: str, owner: str) -> Response:
    """The sign-in page in place of an answer to a form whose session had ended: what was typed stays with it."""
    view = SignInView(
        form=FormState(nonce=new_nonce()),
        next_url=next_url,
        notice=translations(reader_of(request).locale).gettext(NotSignedIn.title),
        kept=typed.pairs,
        resume_url=resume_url,
        resume_owner=owner,
    )
    return answer("pages/sign_in.html", Page(title=N_("Sign in"), reader=reader_of(request)), status=401, view=view)


def _sign_in_page(
    request: Request,
    services: Services,
    form: FormState,
    *,
    next_url: str = "",
    notice: str = "",
    typed: Typed | None = None,
    status: int = 200,
) -> Response:
    say = translations(reader_of(request).locale).gettext
    demo = _demo_people(services) if services.settings.mode == "embedded" else []
    view = SignInView(
        form=form,
        next_url=next_url,
        notice=say(notice) if notice else "",
        demo=tuple(replace(person, title=say(person.title)) for person, _ in demo),
        demo_emails=tuple(email for _, email in demo),
        kept=typed.kept() if typed else (),
        resume_url=same_site(typed.text("resume"), "") if typed else "",
        resume_owner=typed.text("resume_owner") if typed else "",
    )
    return answer("pages/sign_in.html", Page(title=N_("Sign in"), reader=reader_of(request)), status=status, view=view)


def _demo_people(services: Services) -> list[tuple[Person, str]]:
    with services.database.read() as session:
        rows = session.exec(
            select(User.name, User.email, Membership.role)
            .join(Membership, col(Membership.user_id) == User.id)
            .where(col(User.email).endswith(DEMO_MAIL), col(User.is_active), col(Membership.is_active))
            .order_by(col(User.created_at), User.email)
        ).all()
    return [
        (
            Person(
                name=name,
                title=ROLE_WORDS.get(Role(role), role),
                side="reader" if role in {Role.RADIOLOGIST, Role.SCHEDULER} else "practice",
            ),
            email,
        )
        for name, email, role in rows
    ]
