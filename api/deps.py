"""Dependencies of the routes: who asks, what they may see, and the policy that each route must name.

Every route depends on exactly one policy of this page; a test refuses a route without one.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session, select

from api.portal import Portal
from api.portal_facts import Visit
from api.release_links import Link
from api.scopes import scopes_for
from api.services import Services, services_of
from api.standing import CaseAccess, load_case
from infra.database import Database
from infra.sessions import Sessions, hash_token
from schemas.access import Person, PracticeRight, Right, is_admin, may_in_practice
from schemas.errors import Forbidden, InvalidInput, NotFound, NotSignedIn
from schemas.lifecycle import Relation, Role, Taker
from schemas.tables.people import Patient
from schemas.translation import N_

SESSION_COOKIE: Final = "odontoflow_session"
PORTAL_COOKIE: Final = "odontoflow_portal"


class IdempotencyKeyMissing(InvalidInput):
    code = "idempotency_key_missing"
    title = N_("Send an Idempotency-Key header: a random text for this one request, the same when you repeat it.")


def policy(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a dependency as a route's policy; ``name`` is what the tests and the documentation show."""

    def mark(dependency: Callable[..., Any]) -> Callable[..., Any]:
        dependency.policy = name  # type: ignore[attr-defined] # functions take attributes of ours
        return dependency

    return mark


async def get_services(request: Request) -> Services:
    return services_of(request.app)


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_database(services: ServicesDep) -> Database:
    return services.database


DatabaseDep = Annotated[Database, Depends(get_database)]


async def get_sessions(services: ServicesDep) -> Sessions:
    return Sessions(services.database, services.passwords, services.settings)


SessionsDep = Annotated[Sessions, Depends(get_sessions)]


def token_of(request: Request) -> str | None:
    """The bearer token, else the browser's cookie."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials
    return request.cookies.get(SESSION_COOKIE)


def read_session(services: ServicesDep) -> Iterator[Session]:
    with services.database.read() as session:
        yield session


ReadDep = Annotated[Session, Depends(read_session)]


@policy("public")
async def public() -> None:
    """For everybody: health, sign-in, the portal's first page."""


@policy("signed in")
async def signed_in(request: Request, sessions: SessionsDep, services: ServicesDep) -> Person:
    token = token_of(request)
    if token is None:
        raise NotSignedIn()
    admits = scopes_for(request)
    name = ("person", hash_token(token), admits)
    unchanged = services.database.unchanged
    known: Person | None = unchanged.known(name)
    if known is not None:
        return known
    return await run_in_threadpool(unchanged.ask, name, partial(sessions.person, token, admits=admits))


PersonDep = Annotated[Person, Depends(signed_in)]
Public = Depends(public)


async def look_again(request: Request, sessions: SessionsDep) -> Callable[[], Person]:
    """For answers that take long: who asks, as they stand at that later moment. What it gives is blocking, and raises
    NotSignedIn.
    """

    def look() -> Person:
        token = token_of(request)
        if token is None:
            raise NotSignedIn()
        return sessions.person(token, admits=scopes_for(request))

    return look


LookAgainDep = Annotated[Callable[[], Person], Depends(look_again)]


@policy("administrator")
def administrator(person: Annotated[Person, Depends(signed_in)]) -> Person:
    if not is_admin(person):
        raise Forbidden()
    return person


AdminDep = Annotated[Person, Depends(administrator)]

CaseId = Annotated[str, Path(max_length=64)]


@policy("case: any relation")
def case_access(case_id: CaseId, person: PersonDep, services: ServicesDep) -> CaseAccess:
    with services.database.read() as session:
        return load_case(session, services.keys, case_id, person)


CaseDep = Annotated[CaseAccess, Depends(case_access)]


def require(right: Right) -> Callable[..., CaseAccess]:
    """The case of the path, for somebody who has the right to it: 404 without any relation, 403 without the right."""

    @policy(f"case: {right}")
    def dependency(access: CaseDep) -> CaseAccess:
        access.need(right)
        return access

    return dependency


def practices_of(person: Person, right: PracticeRight) -> list[str]:
    """The practices in which the person has the right, in the order of their memberships. Raises Forbidden for none."""
    found = [
        member.organization_id for member in person.members if may_in_practice(right, person, member.organization_id)
    ]
    if not found:
        raise Forbidden()
    return list(dict.fromkeys(found))


def practice_of(person: Person, right: PracticeRight, wanted: str | None = None) -> str:
    """The practice that was asked for, or the first one. Raises NotFound for one that is not the person's."""
    mine = practices_of(person, right)
    if not wanted or wanted in mine:
        return wanted or mine[0]
    if any(member.organization_id == wanted for member in person.members):
        raise Forbidden()
    raise NotFound()


def practice_of_patient(database: Database, person: Person, right: PracticeRight, patient_id: str) -> str:
    """The patient's practice. Raises NotFound for a patient of others and for one that is not there, alike. Blocking."""
    practices_of(person, right)
    with database.read() as session:
        practice_id = session.exec(select(Patient.practice_id).where(Patient.id == patient_id)).one_or_none()
    if practice_id is None:
        raise NotFound()
    return practice_of(person, right, practice_id)


def in_practice(right: PracticeRight) -> Callable[..., str]:
    """The id of the practice that is acted in, for a right that belongs to no case: the practice of the path's patient,
    else the one that is asked for, else the person's first.
    """

    @policy(f"practice: {right}")
    def dependency(
        request: Request,
        person: PersonDep,
        services: ServicesDep,
        practice: Annotated[
            str | None, Query(max_length=64, description="Id of a practice, for people of several; else the first.")
        ] = None,
    ) -> str:
        patient_id = request.path_params.get("patient_id")
        if patient_id is not None:
            return practice_of_patient(services.database, person, right, patient_id)
        return practice_of(person, right, practice)

    return dependency


def idempotency_key(key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)] = None) -> str:
    if not key:
        raise IdempotencyKeyMissing()
    return key


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


@policy("case: own dentist")
def handing_over(access: CaseDep) -> CaseAccess:
    """For handing the patient a one-time code: who may release may also open the door for the patient."""
    if Taker(Role.DENTIST, Relation.OWN) not in access.held:
        raise Forbidden()
    return access


def get_portal(services: ServicesDep) -> Portal:
    return Portal(services.database, services.keys, services.settings.base_url)


PortalDep = Annotated[Portal, Depends(get_portal)]


@policy("release link")
def release_link(token: str, portal: PortalDep) -> Link:
    """A link that works, before its factors: the practice may be named, nothing else."""
    return portal.link(token)


LinkDep = Annotated[Link, Depends(release_link)]


@policy("release link: both factors")
def portal_visit(request: Request, portal: PortalDep) -> Visit:
    """The patient behind a link; the link and its case are looked at anew with every request."""
    # Not a parameter: below a mount the token is in the path that was cut off.
    return portal.visit(request.path_params["token"], request.cookies.get(PORTAL_COOKIE))


VisitDep = Annotated[Visit, Depends(portal_visit)]
