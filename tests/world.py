"""A small world for tests: a database with two practices, a reading group and the platform, their people and keys."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from activities.records.opening import open_case
from activities.records.projection import state_of
from infra.blobs.store import BlobInfo, BlobStore
from infra.database import Database, make_engine
from infra.file_names import sealed_name
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.migrate import upgrade_engine
from infra.sealing import column_aad, seal_json
from schemas.access import CaseStanding, Member, OrganizationKind, Person, takers
from schemas.clinical import ClinicalForm, Purpose, Region, Sex
from schemas.forms import Demographics, NewCase
from schemas.ids import new_id
from schemas.lifecycle import Role, State, Taker, WaitReason
from schemas.messages import Actor
from schemas.sla import DEFAULT_POLICY, Priority, SlaPolicy
from schemas.state import CaseState
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.tables.people import Contract, Membership, Organization, Patient, Plan, Registration, User
from schemas.tables.wires import Head

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@dataclass
class World:
    """``people`` by short name: dentist, staff, dentist2, radiologist, radiologist2, scheduler, admin."""

    database: Database
    keys: KeyStore
    people: dict[str, Person] = field(default_factory=dict)
    organizations: dict[str, str] = field(default_factory=dict)

    def person(self, name: str) -> Person:
        return self.people[name]

    def user_id(self, name: str) -> str:
        return self.people[name].user_id

    def held(self, name: str, row: Case) -> frozenset[Taker]:
        standing = CaseStanding(
            case_id=row.id,
            practice_id=row.practice_id,
            state=State(row.state),
            groups=frozenset({self.organizations["group"]}),
            assignee_id=row.assignee_id,
            approver_id=row.approver_id,
            wants_second_person=row.wait_reason == WaitReason.IDENTITY_SECOND_PERSON,
        )
        return takers(self.person(name), standing)

    def case(self, case_id: str) -> Case:
        with self.database.read() as session:
            return session.get_one(Case, case_id)

    def state(self, case_id: str) -> CaseState:
        return state_of(self.case(case_id))

    def add_patient(self, practice: str = "practice", **changes: object) -> Patient:
        person = Demographics(
            **{
                "family_name": "Moreau",
                "given_name": "Anna",
                "birth_date": date(1980, 5, 4),
                "sex": Sex.FEMALE,
                "email": "anna.moreau@example.test",
            }
            | changes
        )
        moment = datetime.now(UTC)
        patient_id = new_id("pat")
        with self.database.write() as session:
            key = self.keys.create(session, "patient", patient_id)
            place = column_aad("patient", patient_id, "demographics")
            patient = Patient(
                id=patient_id,
                practice_id=self.organizations[practice],
                key_id=key.id,
                demographics=seal_json(key, person.model_dump(mode="json"), place),
                created_at=moment,
                updated_at=moment,
            )
            session.add(patient)
        return patient

    def add_case(
        self,
        patient: Patient | None = None,
        priority: Priority = Priority.ROUTINE,
        at: datetime | None = None,
        *,
        without_pregnancy: bool = False,
    ) -> Case:
        """A draft with a complete clinical form and one stored file, opened now or ``at`` another time."""
        patient = patient or self.add_patient()
        moment = at or datetime.now(UTC)
        dentist = self.person("dentist")
        actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
        form = ClinicalForm(
            referrer="Dr Laura Keller",
            purpose=Purpose.IMPLANT,
            clinical_question="Is there enough bone for an implant at 36?",
            region=Region.LOWER_LEFT,
            consent=True,
            pregnancy=None if without_pregnancy else "not_pregnant",
        )
        with self.database.write() as session:
            new = NewCase(patient_id=patient.id, priority=priority, form=form)
            row = open_case(session, self.keys, session.get_one(Patient, patient.id), new, actor=actor, now=moment)
        self.add_file(row)
        return row

    def add_file(
        self,
        row: Case,
        *,
        kind: str = "unknown",
        state: str = "stored",
        name: str = "slice.dcm",
        file_id: str | None = None,
        info: BlobInfo | None = None,
    ) -> StoredFile:
        """One more file, as an upload leaves it, or as its check has left it. ``info`` is of its blob, where it has one."""
        file_id = file_id or new_id("fil")
        info = info or BlobInfo(4, secrets.token_hex(32))
        key = self.keys.data_key(row.key_id)
        with self.database.write() as session:
            file = StoredFile(
                id=file_id,
                blob_id=file_id,
                case_id=row.id,
                practice_id=row.practice_id,
                name=sealed_name(key, "stored_file", file_id, name=name),
                size=info.size,
                sha256=info.sha256,
                kind=kind,
                state=state,
                uploaded_by=row.created_by,
                created_at=datetime.now(UTC),
            )
            session.add(file)
        return file

    def put_file(self, blobs: BlobStore, row: Case, content: bytes, name: str = "image.dcm") -> str:
        """The same with its bytes; returns its id."""
        file_id = new_id("fil")
        with blobs.writer(file_id, self.keys.data_key(row.key_id).secret) as writer:
            writer.append(content)
            info = writer.finish()
        return self.add_file(row, name=name, file_id=file_id, info=info).id


_PEOPLE = (
    ("dentist", "practice", Role.DENTIST, True, False),
    ("staff", "practice", Role.STAFF, False, False),
    ("practice_scheduler", "practice", Role.SCHEDULER, False, False),
    ("dentist2", "practice2", Role.DENTIST, True, False),
    ("radiologist", "group", Role.RADIOLOGIST, False, False),
    ("radiologist2", "group", Role.RADIOLOGIST, False, True),
    ("scheduler", "group", Role.SCHEDULER, False, False),
    ("admin", "platform", Role.ADMIN, False, False),
)


def populate(database: Database, keys: KeyStore, policy: SlaPolicy = DEFAULT_POLICY) -> World:
    """Organizations, people, contracts, plans. Passwords are not set: a test that signs in sets its own."""
    world = World(database, keys)
    moment = datetime.now(UTC)
    keys.ensure_system_key()
    with database.write() as session:
        for name, kind in (
            ("practice", OrganizationKind.PRACTICE),
            ("practice2", OrganizationKind.PRACTICE),
            ("group", OrganizationKind.READING_GROUP),
            ("platform", OrganizationKind.PLATFORM),
        ):
            organization_id = new_id("org")
            world.organizations[name] = organization_id
            key = keys.create(session, "practice", organization_id)
            session.add(
                Organization(
                    id=organization_id,
                    kind=kind,
                    name=name.title(),
                    jurisdiction="CH",
                    key_id=key.id,
                    created_at=moment,
                )
            )
            session.add(Head(name=f"audit:{organization_id}"))
        session.flush()
        for name, organization, role, is_owner, is_approver in _PEOPLE:
            user_id = new_id("usr")
            session.add(
                User(
                    id=user_id,
                    email=f"{name}@demo.test",
                    name=f"Dr {name.title()}",
                    password_hash="",
                    created_at=moment,
                )
            )
            session.flush()
            organization_id = world.organizations[organization]
            session.add(
                Membership(
                    id=new_id("mem"),
                    user_id=user_id,
                    organization_id=organization_id,
                    role=role,
                    is_owner=is_owner,
                    is_approver=is_approver,
                    created_at=moment,
                )
            )
            if role is Role.RADIOLOGIST:
                session.add(Registration(id=new_id("mem"), user_id=user_id, jurisdiction="CH", number=f"CH-{name}"))
            kind = {"group": OrganizationKind.READING_GROUP, "platform": OrganizationKind.PLATFORM}.get(
                organization, OrganizationKind.PRACTICE
            )
            member = Member(organization_id, kind, role, is_owner=is_owner, is_approver=is_approver)
            world.people[name] = Person(user_id=user_id, session_id=new_id("ses"), members=(member,))
        for practice in ("practice", "practice2"):
            session.add(
                Contract(
                    id=new_id("con"),
                    practice_id=world.organizations[practice],
                    group_id=world.organizations["group"],
                    policy=policy.model_dump_json(),
                    created_at=moment,
                )
            )
            session.add(Plan(practice_id=world.organizations[practice], code="standard", renewed_at=moment))
    return world


@cache
def _migrated() -> bytes:
    """A database file with the current schema and nothing in it. Made once: the migrations take longer than most tests."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "empty.db"
        engine = make_engine(f"sqlite:///{place}")
        upgrade_engine(engine)
        engine.dispose()
        return place.read_bytes()


@contextmanager
def sqlite_world(folder: Path, policy: SlaPolicy = DEFAULT_POLICY) -> Iterator[World]:
    place = folder / "test.db"
    place.write_bytes(_migrated())
    database = Database(make_engine(f"sqlite:///{place}"))
    try:
        yield populate(database, KeyStore(database, MasterKeys.generate()), policy)
    finally:
        database.close()
