"""The application without an engine, one case in each state with what belongs to it, and every kind of person before it.

Temporal is away, so a command that is allowed gets as far as "the engine cannot be reached", and no state moves.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from sqlmodel import select

from activities.imaging.image_sets import freeze_image_set
from activities.imaging.ingest import ImagingActivities
from activities.records.projection import project, state_of
from api.deps import PORTAL_COOKIE, SESSION_COOKIE
from api.imaging.parsers import parsers_of
from infra.access_tokens import make_token, revoke_token, tokens_of
from infra.database import now
from infra.keys import DataKey
from infra.migrate import upgrade
from infra.release_tokens import release_token, token_hash
from infra.sealing import column_aad, seal_json
from infra.sessions import TOKEN, Sessions, hash_token
from infra.settings import Settings
from infra.uploads import UploadDesk
from schemas.access import Member, OrganizationKind, Person, owns_practice
from schemas.ids import new_id
from schemas.lifecycle import Action, Role, State, Taker, WaitReason, takers_of
from schemas.tables.arrangement import FileGroup
from schemas.tables.case import Case, CaseCommand
from schemas.tables.imaging import Study
from schemas.tables.people import Membership, Organization, Patient, User
from schemas.tables.release import PortalSession, ReleaseGrant
from schemas.tables.report import ReportVersion
from schemas.tables.wires import Head
from schemas.token_forms import NewToken, Scope
from tests.activities.documents.samples import content, signed
from tests.activities.imaging.files import dicom_file
from tests.api.asking import HOST
from tests.api.live import PASSWORD, Live, set_passwords
from tests.api.stories import photograph, put_document, put_file
from tests.ui.site import NOWHERE
from tests.world import World, populate
from ui.app import create_app

NOBODY, ENDED, PATIENT = "nobody", "an ended session", "a patient"
WITHOUT_SESSION = (NOBODY, ENDED, PATIENT)
STRANGERS = ("dentist2", "staff2", "outsider")
"""Of another practice, and of a reading group that has no contract with the practice."""
PEOPLE = (
    "dentist",
    "associate",
    "staff",
    "practice_scheduler",
    "radiologist",
    "radiologist2",
    "radiologist3",
    "scheduler",
    "admin",
    *STRANGERS,
    *WITHOUT_SESSION,
)
"""``dentist`` owns the practice, ``associate`` is a dentist there who does not. ``radiologist`` has the case where somebody
has it, ``radiologist2`` is its named approver, ``radiologist3`` is neither."""

UNASSIGNED = {State.DRAFT, State.PROCESSING, State.ATTENTION, State.BILLING_HOLD, State.UNASSIGNED, State.CANCELLED}
WITH_REPORT = (State.RELEASED, State.AMENDING)
"""Those that a patient reads have a signed version."""
SCHEDULING = takers_of(Action.ASSIGN)


@dataclass
class Thing:
    """A case with what is below it."""

    case_id: str
    file_id: str
    study_id: str
    study: str
    series: str
    instance: str
    grant_id: str
    token: str


@dataclass
class Hall:
    live: Live
    patient_id: str
    other_patient_id: str
    """Of the same practice."""
    member_id: str
    """Somebody of the practice who never signs in: accounts are changed by the questions."""
    things: dict[State, Thing] = field(default_factory=dict)
    _held: dict[tuple[str, State], frozenset[Taker]] = field(default_factory=dict)
    _headers: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def app(self) -> FastAPI:
        return self.live.app

    @property
    def world(self) -> World:
        return self.live.world

    @property
    def practice_id(self) -> str:
        return self.world.organizations["practice"]

    def held(self, name: str, state: State) -> frozenset[Taker]:
        if name in WITHOUT_SESSION:
            return frozenset()
        if (name, state) not in self._held:
            self._held[name, state] = self.world.held(name, self.world.case(self.things[state].case_id))
        return self._held[name, state]

    def is_owner(self, name: str) -> bool:
        return name not in WITHOUT_SESSION and owns_practice(self.world.person(name), self.practice_id)

    def headers(self, name: str) -> dict[str, str]:
        if name not in self._headers:
            self._headers[name] = self._headers_of(name)
        return self._headers[name]

    def _headers_of(self, name: str) -> dict[str, str]:
        """As a browser of this very site where no token is sent, so that it is the missing session that is answered."""
        own = {"Origin": f"http://{HOST}"}
        if name == NOBODY:
            return own
        if name == PATIENT:
            # Everything that a patient holds, wherever it might be taken.
            visit = self.visit(State.RELEASED)
            return own | {"Cookie": f"{PORTAL_COOKIE}={visit}; {SESSION_COOKIE}={visit}"}
        return {"Authorization": f"Bearer {self.live.tokens[name]}"}

    def sessions(self) -> Sessions:
        services = self.app.state.services
        return Sessions(services.database, services.passwords, services.settings)

    def fresh_token(self, name: str) -> str:
        """For a request that ends the session with which it is made."""
        return self.sessions().sign_in(f"{name}@demo.test", PASSWORD, TOKEN, "hall").token

    def fresh_session(self, name: str) -> str:
        return self.sessions().sign_in(f"{name}@demo.test", PASSWORD, TOKEN, "hall").session_id

    def access_token(self, name: str, *scopes: Scope) -> NewToken:
        """Those before it are revoked: a person has few at a time."""
        person = self.world.person(name)
        with self.world.database.write() as session:
            for there in tokens_of(session, person):
                revoke_token(session, person, there.id)
            return make_token(session, person, "hall", scopes or (Scope.IMAGES_READ,), 1)

    def visit(self, state: State) -> str:
        """The secret of a patient's visit behind both factors of a case's link."""
        token, moment = secrets.token_urlsafe(32), now()
        with self.world.database.write() as session:
            session.add(
                PortalSession(
                    id=new_id("ses"),
                    grant_id=self.things[state].grant_id,
                    token_hash=hash_token(token),
                    created_at=moment,
                    expires_at=moment + timedelta(hours=1),
                )
            )
        return token

    def upload(self, state: State) -> str:
        """The id of an upload that has begun."""
        services = self.app.state.services
        desk = UploadDesk(services.database, services.blobs, services.keys)
        meta = {"filename": "a.dcm", "filetype": "application/dicom", "relative_path": ""}
        return desk.begin(self.world.case(self.things[state].case_id), self.world.user_id("staff"), 9, meta).upload.id

    def record_upload(self) -> str:
        """The id of an upload to the patient's record that has begun."""
        services = self.app.state.services
        desk = UploadDesk(services.database, services.blobs, services.keys)
        return desk.begin(self._patient(), self.world.user_id("staff"), 9, {"filename": "a.pdf"}).upload.id

    def document(self) -> str:
        """The id of a checked photograph in the patient's record."""
        return put_document(self.app, self._patient(), self.world.user_id("staff"), photograph(), "smile.jpg")

    def heading(self) -> str:
        """The id of a heading in the patient's record."""
        patient, group_id = self._patient(), new_id("grp")
        key = self.world.keys.data_key(patient.key_id)
        name = seal_json(key, "Consents", column_aad("file_group", group_id, "name"))
        with self.world.database.write() as session:
            session.add(FileGroup(id=group_id, patient_id=patient.id, name=name, position=0, created_at=now()))
        return group_id

    def _patient(self) -> Patient:
        with self.world.database.read() as session:
            return session.get_one(Patient, self.patient_id)

    def command(self, name: str) -> str:
        """The id of a command that the person has given."""
        command_id, moment = new_id("cmd"), now()
        with self.world.database.write() as session:
            session.add(
                CaseCommand(
                    id=command_id,
                    case_id=self.things[State.DRAFT].case_id,
                    user_id=self.world.user_id(name),
                    action=Action.SUBMIT,
                    fingerprint="0" * 64,
                    form=b"",
                    outcome="received",
                    received_at=moment,
                    expires_at=moment + timedelta(hours=1),
                )
            )
        return command_id


def put_into(world: World, case_id: str, state: State) -> None:
    """The case as it would stand in that state, with its reader and approver where it has them."""
    with world.database.write() as session:
        row = session.get_one(Case, case_id)
        before = state_of(row)
        read = state not in UNASSIGNED
        wait = before.wait.model_copy(
            update={"reason": WaitReason.IDENTITY_SECOND_PERSON if state is State.ATTENTION else before.wait.reason}
        )
        changes = {
            "state": state,
            "wait": wait,
            "image_set": 1,
            "verified_set": 1,
            "signed_set": 1,
            "assignee_id": world.user_id("radiologist") if read else None,
            "approver_id": world.user_id("radiologist2") if read else None,
        }
        project(row, before.model_copy(update=changes), now())


def add_person(world: World, name: str, organization: str, role: Role) -> str:
    kinds = {"practice": OrganizationKind.PRACTICE, "practice2": OrganizationKind.PRACTICE}
    user_id, organization_id = new_id("usr"), world.organizations[organization]
    with world.database.write() as session:
        session.add(User(id=user_id, email=f"{name}@demo.test", name=name, password_hash="", created_at=now()))
        session.flush()
        session.add(
            Membership(id=new_id("mem"), user_id=user_id, organization_id=organization_id, role=role, created_at=now())
        )
    member = Member(organization_id, kinds.get(organization, OrganizationKind.READING_GROUP), role)
    world.people[name] = Person(user_id=user_id, session_id=new_id("ses"), members=(member,))
    return user_id


def add_group(world: World, name: str) -> None:
    """A reading group that no practice has a contract with."""
    organization_id = world.organizations[name] = new_id("org")
    with world.database.write() as session:
        key = world.keys.create(session, "practice", organization_id)
        kind = OrganizationKind.READING_GROUP
        session.add(
            Organization(id=organization_id, kind=kind, name=name, jurisdiction="CH", key_id=key.id, created_at=now())
        )
        session.add(Head(name=f"audit:{organization_id}"))


def _thing(live: Live, imaging: ImagingActivities, state: State, number: int) -> Thing:
    world = live.world
    case = world.add_case()
    study, series, instance = (f"1.2.3.{number}.{part}" for part in range(3))
    image = dicom_file(
        study=study,
        series=series,
        SOPInstanceUID=instance,
        PatientName="Moreau^Anna",
        PatientBirthDate="19800504",
        PatientID="",
        ICCProfile=bytes(2048),  # long enough to be bulk data
    )
    file_id = put_file(live, case.id, image)
    imaging.ingest(case.id)
    key = world.keys.data_key(case.key_id)
    grant_id, moment = new_id("grt"), now()
    with world.database.write() as session:
        freeze_image_set(session, case.id, 1)
        session.add(
            ReleaseGrant(
                id=grant_id,
                case_id=case.id,
                practice_id=case.practice_id,
                patient_id=case.patient_id,
                token_hash=token_hash(release_token(world.keys, grant_id)),
                state="live",
                created_at=moment,
                expires_at=moment + timedelta(days=14),
            )
        )
        if state in WITH_REPORT:
            session.add(_version(key, case.id, world.user_id("radiologist")))
    put_into(world, case.id, state)
    return Thing(
        case_id=case.id,
        file_id=file_id,
        study_id=_study_id(world, study),
        study=study,
        series=series,
        instance=instance,
        grant_id=grant_id,
        token=release_token(world.keys, grant_id),
    )


def _study_id(world: World, study_uid: str) -> str:
    with world.database.read() as session:
        return session.exec(select(Study.id).where(Study.study_uid == study_uid)).one()


def _version(key: DataKey, case_id: str, author_id: str) -> ReportVersion:
    report, report_id = signed(content()), new_id("rep")
    document = seal_json(key, report.model_dump(mode="json"), column_aad("report_version", report_id, "document"))
    return ReportVersion(
        id=report_id,
        case_id=case_id,
        version=1,
        kind="original",
        document=document,
        marks=b"",
        report_hash=report.report_hash,
        author_id=author_id,
        command_id=new_id("cmd"),
        signed_at=report.signed_at,
    )


@asynccontextmanager
async def open_hall(home: Path) -> AsyncIterator[Hall]:
    settings = Settings(home=home, temporal_address=NOWHERE, argon2_memory_kib=8, argon2_time_cost=1)
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        services = app.state.services
        world = populate(services.database, services.keys)
        add_group(world, "group2")
        for name, organization, role in (
            ("associate", "practice", Role.DENTIST),
            ("staff2", "practice2", Role.STAFF),
            ("radiologist3", "group", Role.RADIOLOGIST),
            ("outsider", "group2", Role.RADIOLOGIST),
            ("leaver", "practice", Role.DENTIST),
        ):
            add_person(world, name, organization, role)
        member_id = add_person(world, "member", "practice", Role.STAFF)
        set_passwords(world, services.passwords.hash(PASSWORD))
        hall = Hall(Live(app, world, settings, {}), world.add_patient().id, world.add_patient().id, member_id)
        hall.live.tokens |= {name: hall.fresh_token(name) for name in PEOPLE if name not in WITHOUT_SESSION}
        sessions, ended = hall.sessions(), hall.fresh_token("leaver")
        sessions.end(sessions.person(ended))
        hall.live.tokens[ENDED] = ended
        imaging = ImagingActivities(services.database, services.blobs, services.keys, parsers_of(app))
        for number, state in enumerate(State):
            hall.things[state] = _thing(hall.live, imaging, state, number)
        yield hall
