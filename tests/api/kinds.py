"""What each route must answer to whom, made from the policies that it names and from the tables in ``schemas`` alone.

A route of a kind that is not known here is an error: whoever adds a policy, or an address with a new kind of thing in it,
says here what it means.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from api.deps import PORTAL_COOKIE
from schemas.access import PracticeRight, Right, is_admin, may, may_in_practice
from schemas.lifecycle import Action, Relation, Role, State, Taker, takers_of
from tests.api.asking import HOST, Answer
from tests.api.hall import NOBODY, PATIENT, PEOPLE, SCHEDULING, STRANGERS, WITHOUT_SESSION, Hall, Thing
from tests.api.routes import Route

FEW = 3
"""Of the sixteen states, where the tables give somebody the same answer in all of them. They take turns from route to route."""


class Expected(StrEnum):
    SIGN_IN = "sign in first"
    BOTH_FACTORS = "both factors first"
    NOT_THERE = "not there"
    FORBIDDEN = "forbidden"
    NOT_NOW = "not now"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class Question:
    """``about`` says whose thing it is, or in which state. ``may_be_missing``: an allowed request may find nothing."""

    who: str
    route: Route
    url: str
    expected: Expected
    about: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    may_be_missing: bool = False

    @property
    def as_form(self) -> bool:
        return not self.route.path.startswith(("/api/", "/codec", "/dicomweb"))

    def is_answered_by(self, answer: Answer) -> bool:
        status = answer.status
        match self.expected:
            case Expected.ALLOWED:
                # Its body may be incomplete and the engine is away: refused for its sender's sake it must not be.
                works = status < 500 or status == 503
                return works and status not in {401, 403} and (status != 404 or self.may_be_missing)
            case Expected.BOTH_FACTORS:
                to_the_link = "/".join(self.url.split("/")[:3])
                return status == 401 or (status == 303 and answer.headers["location"] == to_the_link)
            case Expected.SIGN_IN:
                return status == 401
            case Expected.NOT_THERE:
                return status == 404
            case Expected.FORBIDDEN:
                return status == 403
            case Expected.NOT_NOW:
                return status == 409

    def told(self, answer: Answer) -> str:
        return f"{self.who}: {self.route}, {self.about}: {answer.status}, not {self.expected}: {answer.body[:100]!r}"


class UnknownKind(Exception):
    """Nothing here says what such a route must answer."""


Questions = Iterator[Question]
Kind = Callable[[Hall, Route], Questions]

_turns = count()


def questions(hall: Hall, route: Route) -> Questions:
    """Everything that is asked of one route. Made while it is asked: some requests use up what they are about.

    Raises UnknownKind.
    """
    return kind_of(route)(hall, route)


def kind_of(route: Route) -> Kind:
    # Being signed in and standing to a case are parts of the narrower policies.
    narrower = route.policies - {"signed in"} or route.policies
    policies = sorted(narrower - {"case: any relation"} or narrower)
    for starts, parameters, kind in _KINDS:
        same_place = ("case_id" in parameters) == ("case_id" in route.parameters)
        if len(policies) == 1 and policies[0].startswith(starts) and same_place and route.parameters <= parameters:
            return kind
    raise UnknownKind(str(route))


def _filled(route: Route, **values: str) -> str:
    known = dict.fromkeys(route.parameters, "msg_" + "0" * 30) | values
    return route.path.format(**known)


# Routes without a case


def everybody(hall: Hall, route: Route) -> Questions:
    for who in PEOPLE:
        yield Question(who, route, _filled(route), Expected.ALLOWED, may_be_missing=True)


ENDING = {"/api/v1/auth/token", "/sign-out"}
"""They end the session that they are asked with."""


def everybody_signed_in(hall: Hall, route: Route) -> Questions:
    for who in PEOPLE:
        expected = Expected.SIGN_IN if who in WITHOUT_SESSION else Expected.ALLOWED
        headers: dict[str, str] = {}
        if route.path in ENDING and expected is Expected.ALLOWED:
            headers = {"Authorization": f"Bearer {hall.fresh_token(who)}"}
        if not route.parameters:
            yield Question(who, route, route.path, expected, headers=headers)
            continue
        for owner in ("staff", "associate"):
            own = {"session_id": hall.fresh_session(owner), "command_id": hall.command(owner)}
            own["token_id"] = hall.access_token(owner).id
            theirs = Expected.NOT_THERE if expected is Expected.ALLOWED and who != owner else expected
            yield Question(who, route, _filled(route, **own), theirs, f"of {owner}")


def administrators(hall: Hall, route: Route) -> Questions:
    url = _filled(route, user_id=hall.member_id, organization_id=hall.practice_id)
    for who in PEOPLE:
        allowed = who not in WITHOUT_SESSION and is_admin(hall.world.person(who))
        yield Question(who, route, url, _of_right(who, allowed))


def schedulers(hall: Hall, route: Route) -> Questions:
    for who in PEOPLE:
        allowed = False
        if who not in WITHOUT_SESSION:
            person = hall.world.person(who)
            allowed = is_admin(person) or any(member.role is Role.SCHEDULER for member in person.members)
        yield Question(who, route, route.path, _of_right(who, allowed))


def _of_right(who: str, allowed: bool) -> Expected:
    if who in WITHOUT_SESSION:
        return Expected.SIGN_IN
    return Expected.ALLOWED if allowed else Expected.FORBIDDEN


NAMING = {("POST", "/api/v1/cases"), ("POST", "/api/v1/practice/users")}
"""Their bodies name a thing of the practice, where other routes name it in the address."""


def of_a_practice(hall: Hall, route: Route) -> Questions:
    """About a patient or a person of ``practice``, for its own people; to those of another practice there is no such thing."""
    (policy,) = route.policies - {"signed in"}
    right = PracticeRight(policy.removeprefix("practice: "))
    about_a_thing = bool(route.parameters) or (route.method, route.path) in NAMING
    for who in PEOPLE:
        below = _below_patient(hall, route)
        own = {"user_id": hall.member_id, "organization_id": hall.practice_id, **below}
        url = _filled(route, patient_id=hall.patient_id, **own)
        expected = _of_practice(hall, who, right, about_a_thing=about_a_thing)
        headers, fields = _whole_request(hall, route)
        yield Question(who, route, url, expected, "of the practice", headers, fields)
        # What is below another patient is not below this one, of the same practice or not.
        if below and expected is Expected.ALLOWED:
            url = _filled(route, patient_id=hall.other_patient_id, **own)
            yield Question(who, route, url, Expected.NOT_THERE, "below another patient", headers, fields)


def _below_patient(hall: Hall, route: Route) -> dict[str, str]:
    """Things of the record that are really there: some requests use them up."""
    found: dict[str, str] = {}
    for name in sorted(route.parameters & {"document_id", "item_id"}):
        found[name] = hall.document()
    if "group_id" in route.parameters:
        found["group_id"] = hall.heading()
    return found


def _of_practice(hall: Hall, who: str, right: PracticeRight, *, about_a_thing: bool = True) -> Expected:
    members = () if who in WITHOUT_SESSION else hall.world.person(who).members
    places = [
        member.organization_id
        for member in members
        if may_in_practice(right, hall.world.person(who), member.organization_id)
    ]
    if places and about_a_thing and hall.practice_id not in places:
        return Expected.NOT_THERE
    return _of_right(who, bool(places))


def _whole_request(hall: Hall, route: Route) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """What makes a request reach the look at the thing: the form is read before."""
    demographics = {"family_name": "Moreau", "given_name": "Anna", "birth_date": "1980-05-04"}
    new_user = {"name": "New", "email": "new@demo.test", "role": "staff", "organization_id": hall.practice_id}
    fields: dict[tuple[str, str], Mapping[str, Any]] = {
        ("PUT", "/api/v1/patients/{patient_id}"): demographics,
        ("PATCH", "/api/v1/patients/{patient_id}/documents/{document_id}"): {"name": "x"},
        ("POST", "/patients/{patient_id}/documents/{document_id}"): {"name": "x"},
        ("POST", "/patients/{patient_id}/groups/{group_id}"): {"name": "x"},
        ("PUT", "/api/v1/patients/{patient_id}/arrangement/groups/{group_id}"): {"name": "x"},
        ("POST", "/api/v1/cases"): {"patient_id": hall.patient_id},
        ("POST", "/api/v1/practice/users"): new_user,
        ("PUT", "/api/v1/practice/users/{user_id}/memberships/{organization_id}"): {"role": "staff"},
        ("POST", "/practice/users/{user_id}/roles/{organization_id}"): {"role": "staff"},
        ("POST", "/patients/{patient_id}/new-case"): {"nonce": "hall"},
    }
    headers = {"If-Match": '"1"', "Idempotency-Key": "hall"}
    return headers, fields.get((route.method, route.path), {})


# Routes about a case

Rule = Callable[[frozenset[Taker], State], bool]
_OWN_DENTIST = Taker(Role.DENTIST, Relation.OWN)
SPECIAL: dict[str, Rule] = {
    "case: any relation": lambda held, state: True,
    "case: chat or chat_logistics": lambda held, state: (
        may(Right.CHAT, held, state) or may(Right.CHAT_LOGISTICS, held, state)
    ),
    "case: see_images or upload": lambda held, state: (
        may(Right.SEE_IMAGES, held, state) or may(Right.UPLOAD, held, state)
    ),
    "case: assigns or names an approver": lambda held, state: bool(
        held & (SCHEDULING | takers_of(Action.SUBMIT_FOR_APPROVAL))
    ),
    "case: own dentist": lambda held, state: _OWN_DENTIST in held,
}


def _allows(route: Route, held: frozenset[Taker], state: State) -> bool:
    for policy in route.policies - {"signed in"}:
        rule = SPECIAL.get(policy)
        if not (rule(held, state) if rule else may(_right(route, policy), held, state)):
            return False
    return True


def _right(route: Route, policy: str) -> Right:
    try:
        return Right(policy.removeprefix("case: "))
    except ValueError:
        raise UnknownKind(str(route)) from None


Cell = tuple[str, State, Expected]


def cells(answer: Callable[[str, State], Expected]) -> Iterator[Cell]:
    """People and states: every state in which there is a case for somebody and its answer depends on the state; of the rest
    a few. Strangers take turns.
    """
    turn, states = next(_turns), tuple(State)
    for number, who in enumerate(PEOPLE):
        few = 1 if who in STRANGERS + WITHOUT_SESSION else FEW
        first = turn * FEW + number * 5
        in_turn = [states[(first + step) % len(states)] for step in range(len(states))]
        answers = {state: answer(who, state) for state in in_turn}
        there = [state for state in in_turn if answers[state] is not Expected.NOT_THERE]
        not_there = [state for state in in_turn if answers[state] is Expected.NOT_THERE]
        depends = len({answers[state] for state in there}) > 1
        for state in (*(there if depends else there[:few]), *not_there[:few]):
            yield who, state, answers[state]


def expected_of_case(hall: Hall, who: str, state: State, allowed: Callable[[frozenset[Taker]], bool]) -> Expected:
    if who in WITHOUT_SESSION:
        return Expected.SIGN_IN
    held = hall.held(who, state)
    if not held:
        return Expected.NOT_THERE
    return Expected.ALLOWED if allowed(held) else Expected.FORBIDDEN


def of_a_case(hall: Hall, route: Route) -> Questions:
    def answer(who: str, state: State) -> Expected:
        return expected_of_case(hall, who, state, lambda held: _allows(route, held, state))

    children = route.parameters - {"case_id"}
    for who, state, expected in cells(answer):
        thing = hall.things[state]
        yield Question(
            who,
            route,
            _filled(route, case_id=thing.case_id, **_own_children(route, thing)),
            expected,
            f"in {state}",
            may_be_missing=bool(children) or route.path.endswith(("/report.pdf", "/trace/temporal")),
        )
    # What is below another case is not below one's own, of the same practice or not.
    for state in State if children & _REAL and (route.method, route.path) not in BACK_TO_THE_CASE else ():
        if answer("dentist", state) is Expected.ALLOWED:
            other = hall.things[State.RELEASED if state is not State.RELEASED else State.AMENDING]
            own = {"case_id": hall.things[state].case_id}
            url = _filled(route, **_children(other), **_images(other), **own)
            yield Question("dentist", route, url, Expected.NOT_THERE, f"in {state}, below another case")


_REAL = {"file_id", "study_id", "grant_id", "study"}
BACK_TO_THE_CASE = {("GET", "/cases/{case_id}/links/{grant_id}/code")}
"""They look at nothing that is below the case, and say nothing of it."""


def _children(thing: Thing) -> dict[str, str]:
    return {"file_id": thing.file_id, "study_id": thing.study_id, "grant_id": thing.grant_id}


def _own_children(route: Route, thing: Thing) -> dict[str, str]:
    """What is there stays there: only what is read is real."""
    return {**_children(thing), **_images(thing)} if route.method in {"GET", "HEAD"} else {}


def of_an_upload(hall: Hall, route: Route) -> Questions:
    """By the case or the patient that its metadata names, or that it was begun for; at another time of the case it is not
    now.
    """

    def answer(who: str, state: State) -> Expected:
        expected = expected_of_case(hall, who, state, lambda held: may(Right.UPLOAD, held, state))
        if expected is Expected.FORBIDDEN and any(may(Right.UPLOAD, hall.held(who, state), other) for other in State):
            return Expected.NOT_NOW
        return expected

    for who, state, expected in cells(answer):
        url = _filled(route, upload_id=hall.upload(state)) if route.parameters else route.path
        yield Question(who, route, url, expected, f"in {state}", _beginning("case_id", hall.things[state].case_id))
    for who in PEOPLE:
        expected = _of_practice(hall, who, PracticeRight.EDIT_DOCUMENTS)
        url = _filled(route, upload_id=hall.record_upload()) if route.parameters else route.path
        yield Question(who, route, url, expected, "to the record", _beginning("patient_id", hall.patient_id))


def _beginning(what: str, value: str) -> dict[str, str]:
    named = b64encode(value.encode()).decode()
    return {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": f"{what} {named}"}


def of_images(hall: Hall, route: Route) -> Questions:
    """Images that one may not see are not there, whoever one is."""

    def answer(who: str, state: State) -> Expected:
        if who in WITHOUT_SESSION:
            return Expected.SIGN_IN
        if not route.parameters or may(Right.SEE_IMAGES, hall.held(who, state), state):
            return Expected.ALLOWED
        return Expected.NOT_THERE

    for who, state, expected in cells(answer):
        yield Question(who, route, _filled(route, **_images(hall.things[state])), expected, f"in {state}")


def of_storing(hall: Hall, route: Route) -> Questions:
    """Into a case that the address names; at another time of the case it is not now."""

    def answer(who: str, state: State) -> Expected:
        expected = expected_of_case(hall, who, state, lambda held: may(Right.UPLOAD, held, state))
        if expected is Expected.FORBIDDEN and any(may(Right.UPLOAD, hall.held(who, state), other) for other in State):
            return Expected.NOT_NOW
        return expected

    for who, state, expected in cells(answer):
        thing = hall.things[state]
        url = _filled(route, **_images(thing), case_id=thing.case_id) + (
            "" if "case_id" in route.parameters else f"?case_id={thing.case_id}"
        )
        yield Question(who, route, url, expected, f"in {state}")


def _images(thing: Thing) -> dict[str, str]:
    return {
        "study": thing.study,
        "series": thing.series,
        "instance": thing.instance,
        "frame": "1",
        "frames": "1",
        "series_uid": thing.series,
        "tag": "00282000",
    }


# Routes behind a patient's link

_OF_PATIENT = frozenset({Taker(Role.PATIENT, Relation.RELEASED)})


def _opens(state: State) -> bool:
    return may(Right.SEE_REPORT, _OF_PATIENT, state)


def of_a_link(hall: Hall, route: Route) -> Questions:
    """Before its factors: whoever has the link of a released report, and whoever that is."""
    for state in State:
        for who in (NOBODY, PATIENT, "admin"):
            expected = Expected.ALLOWED if _opens(state) else Expected.NOT_THERE
            yield Question(who, route, _filled(route, token=hall.things[state].token), expected, f"in {state}")
    for who in PEOPLE:
        yield Question(who, route, _filled(route, token="x" * 32), Expected.NOT_THERE, "a link that never was")


def of_a_visit(hall: Hall, route: Route) -> Questions:
    """Behind both factors of this very link; being signed in, or behind another link, is worth nothing here."""
    children = route.parameters - {"token"}
    for state in State:
        thing = hall.things[state]
        url = _filled(route, token=thing.token, **_images(thing), **_children(thing))
        expected = Expected.ALLOWED if _opens(state) else Expected.NOT_THERE
        # The files of these cases are no photographs, and nothing rendered their reports.
        missing = "file_id" in children or route.path.endswith("/report.pdf")
        yield Question("visitor", route, url, expected, f"in {state}", _visiting(hall, state), may_be_missing=missing)
    thing, other = hall.things[State.RELEASED], hall.things[State.AMENDING]
    url = _filled(route, token=thing.token, **_images(thing), **_children(thing))
    elsewhere = _visiting(hall, State.AMENDING)
    yield Question("visitor", route, url, Expected.BOTH_FACTORS, "behind another link", elsewhere)
    for who in PEOPLE:
        if who != PATIENT:
            yield Question(who, route, url, Expected.BOTH_FACTORS, "without both factors")
    if children - {"series_uid"}:
        url = _filled(route, token=thing.token, **_images(other), **_children(other))
        visiting = _visiting(hall, State.RELEASED)
        yield Question("visitor", route, url, Expected.NOT_THERE, "below another link", visiting)


def _visiting(hall: Hall, state: State) -> dict[str, str]:
    return {"Origin": f"http://{HOST}", "Cookie": f"{PORTAL_COOKIE}={hall.visit(state)}"}


_IMAGES = frozenset({"study", "series", "instance", "frame", "frames", "tag"})
_BELOW_CASE = _IMAGES | frozenset(
    {
        "case_id",
        "action",
        "command_id",
        "file_id",
        "grant_id",
        "group_id",
        "image_id",
        "item_id",
        "key_image_id",
        "message_id",
        "study_id",
        "batch_id",
        "patient",
    }
)
_BELOW_PRACTICE = frozenset({"patient_id", "user_id", "organization_id", "document_id", "group_id", "item_id"})
_KINDS: tuple[tuple[str, frozenset[str], Kind], ...] = (
    ("public", frozenset({"mail_id", "name", "token", "upload_id"}), everybody),
    ("signed in", frozenset({"session_id", "command_id", "token_id"}), everybody_signed_in),
    ("administrator", frozenset({"user_id", "organization_id", "registration_id"}), administrators),
    ("schedules cases", frozenset(), schedulers),
    ("practice: ", _BELOW_PRACTICE, of_a_practice),
    ("upload: ", frozenset({"upload_id"}), of_an_upload),
    ("case: ", _BELOW_CASE, of_a_case),
    ("images: of the cases whose images one may see", _IMAGES, of_images),
    ("store: to a case", frozenset({"study"}), of_storing),
    ("store: to a case", frozenset({"study", "case_id"}), of_storing),
    ("release link: both factors", _IMAGES | {"token", "series_uid", "file_id"}, of_a_visit),
    ("release link", frozenset({"token"}), of_a_link),
)
"""By the start of the policy's name, and the names that may stand in the address."""
