"""Fills the embedded mode with demo people and cases: through the same rules, workflows and activities as everybody's.

Each story's commands have fixed idempotency keys, so that a seeding that was interrupted goes on where it stopped.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, select
from temporalio.client import Client

from activities.records.commands import APPLIED, NewCommand
from activities.records.projection import state_of
from activities.records.signing import draft_of
from api.cases import open_new_case
from api.patients import create_patient, find_patients
from api.reports import save_draft
from api.standing import CaseAccess, load_case
from infra.blobs.opening import open_blobs
from infra.blobs.store import BlobStore
from infra.codec import data_converter
from infra.database import Database, now
from infra.demo_accounts import DEMO_PASSWORD
from infra.file_names import sealed_name
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.outbox import enqueue
from infra.passwords import Passwords
from infra.sessions import person_of_user
from infra.settings import Settings
from schemas.access import Person, Right
from schemas.clinical import ClinicalForm, Pregnancy, Purpose, Region, Sex
from schemas.files import FileKind, FileState
from schemas.forms import ACTION_FORMS, Demographics, NewCase, ReportDraftBody
from schemas.ids import new_id
from schemas.lifecycle import Action, State
from schemas.messages import Actor, FactKind
from schemas.report_parts import Modality
from schemas.tables.case import Case, CaseCommand
from schemas.tables.imaging import StoredFile
from schemas.tables.people import User
from schemas.tables.report import ReportDraft
from worker.demo.documents import CONSENT, add_document, page_of
from worker.demo.key_images import add_key_images
from worker.demo.manifest import DemoStudies, PatientStudies
from worker.demo.patients import Kind, PatientIdentity
from worker.demo.people import add_people
from worker.demo.reports import demo_report
from worker.demo.stories import READER, STORIES, Step, Story
from worker.demo.studies import Detail, ensure_studies
from workflows.gateway import Gateway, Wish

_PATIENCE_S: Final = 180.0


class SeedingStuck(RuntimeError):
    """A case did not get where its story needs it."""


@dataclass(frozen=True)
class Stage:
    """What the stories are played with."""

    database: Database
    keys: KeyStore
    blobs: BlobStore
    gateway: Gateway
    organizations: dict[str, str]
    studies: DemoStudies
    detail: Detail

    def person(self, account: str) -> Person:
        with self.database.read() as session:
            user = session.exec(select(User).where(User.email == f"{account}@demo.test")).one()
            return person_of_user(session, user, session_id="demo-seeding")

    def access(self, case_id: str, person: Person) -> CaseAccess:
        with self.database.read() as session:
            return load_case(session, self.keys, case_id, person)

    def row(self, case_id: str) -> Case:
        with self.database.read() as session:
            return session.get_one(Case, case_id)


def seed(settings: Settings, *, detail: Detail = Detail.DEMO) -> None:
    """Adds what is missing. Needs Temporal and a worker. Blocking."""
    if settings.mode != "embedded":
        raise SeedingStuck("demo data belongs to the embedded mode")
    print("Drawing the demo's synthetic studies (once; they are kept).", flush=True)  # noqa: T201
    studies = ensure_studies(settings.home / "demo-studies", detail=detail, progress=_Teller())
    asyncio.run(_play(settings, studies, detail))


class _Teller:
    """Says how far the drawing is, a line for every new thing."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, what: str, share: float) -> None:
        if what != self._last:
            self._last = what
            print(f"  {share:4.0%} {what}", flush=True)  # noqa: T201


async def _play(settings: Settings, studies: DemoStudies, detail: Detail) -> None:
    database = Database.from_settings(settings)
    keys = KeyStore(database, load_master_keys(settings))
    with database.write() as session:
        organizations = add_people(session, keys, Passwords(settings))
    client = await Client.connect(
        settings.temporal_target, namespace=settings.temporal_namespace, data_converter=data_converter(keys)
    )
    gateway = Gateway(client, database, keys)
    blobs = open_blobs(settings, database)
    stage = Stage(database, keys, blobs, gateway, organizations, studies, detail)
    for number, story in enumerate(STORIES, 1):
        print(f"Case {number} of {len(STORIES)}: {story.key.replace('_', ' ')}", flush=True)  # noqa: T201
        await _tell_story(stage, story)
    await asyncio.to_thread(_add_documents, stage, next(story for story in STORIES if Kind.PHOTOGRAPH in story.kinds))
    database.close()


def _add_documents(stage: Stage, story: Story) -> None:
    """The record of one patient holds more than cases."""
    subject, dentist = stage.studies.patients[story.patient], stage.person(story.dentist)
    patient_id = _patient(stage, stage.organizations[story.practice], subject.identity, dentist)
    actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
    (photograph,) = stage.studies.paths(subject.of(Kind.PHOTOGRAPH))
    for name, content in (
        ("Consent form implant 36.pdf", page_of(CONSENT)),
        ("Front teeth before treatment.jpg", photograph.read_bytes()),
    ):
        add_document(stage.database, stage.keys, stage.blobs, patient_id, actor, name=name, content=content)


async def _tell_story(stage: Stage, story: Story) -> None:
    dentist = stage.person(story.dentist)
    practice_id = stage.organizations[story.practice]
    subject = stage.studies.patients[story.patient]
    patient_id = await asyncio.to_thread(_patient, stage, practice_id, subject.identity, dentist)
    new = NewCase(patient_id=patient_id, priority=story.priority, form=_form(story, subject.identity.sex))
    case_id = await asyncio.to_thread(
        open_new_case,
        stage.database,
        stage.keys,
        practice_id,
        dentist,
        new=new,
        idempotency_key=f"demo-{story.key}",
    )
    await stage.gateway.announce(case_id)
    images = stage.studies.patients[story.patient if story.images_of is None else story.images_of]
    await asyncio.to_thread(_store_files, stage, case_id, images, story.kinds)
    if not story.is_submitted:
        with stage.database.write() as session:
            enqueue(session, FactKind.FILES_SETTLED, case_id)
        return
    await _act(stage, story, case_id, 0, Step(story.dentist, Action.SUBMIT))
    await _until(stage, case_id, State.ASSIGNED, State.ATTENTION, at_seq=2)
    if story.reader is not None and stage.row(case_id).state == State.ASSIGNED:
        reader_id = stage.person(story.reader).user_id
        if stage.row(case_id).assignee_id != reader_id and stage.row(case_id).seq == _OFFERED_SEQ:
            step = Step("scheduler", Action.REASSIGN, {"radiologist_id": reader_id})
            await _act(stage, story, case_id, 1, step)
    for number, step in enumerate(story.steps, 2):
        await _act(stage, story, case_id, number, step)


_OFFERED_SEQ: Final = 3
"""Submitted, checked, offered."""


def _form(story: Story, sex: str) -> ClinicalForm:
    """The teeth are those that the question names."""
    named = re.findall(r"\b[1-4][1-8]\b", story.question)
    return ClinicalForm(
        referrer="Dr. Laura Keller" if story.practice == "seefeld" else "Dr. Samuel Frei",
        purpose=story.purpose,
        clinical_question=story.question,
        history="No relevant medical history. No known allergies.",
        teeth=named,
        region=None if named else Region.TMJ_RIGHT if story.purpose is Purpose.TMD else Region.BOTH_JAWS,
        prior_images="none",
        pregnancy=Pregnancy.NOT_PREGNANT if sex == "F" else Pregnancy.NOT_APPLICABLE,
        consent=True,
        field_of_view_mm=80.0 if Kind.CBCT in story.kinds else None,
    )


def _patient(stage: Stage, practice_id: str, identity: PatientIdentity, dentist: Person) -> str:
    family, given = identity.name.split("^")
    sex = {"F": Sex.FEMALE, "M": Sex.MALE}.get(identity.sex, Sex.OTHER)
    person = Demographics(
        family_name=family,
        given_name=given,
        birth_date=identity.birth_date,
        sex=sex,
        patient_number=identity.patient_id,
        issuer=identity.issuer,
        email=f"{identity.patient_id.lower()}@patients.demo.test",
        phone="+41 79 555 00 00",
    )
    actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
    with stage.database.write() as session:
        known = find_patients(session, stage.keys, practice_id, name=f"{given} {family}", born=identity.birth_date)
        if known:
            return known[0].id
        return create_patient(session, stage.keys, practice_id, person, actor=actor, confirmed=True).id


def _store_files(stage: Stage, case_id: str, images: PatientStudies, kinds: Sequence[Kind]) -> None:
    """Puts the studies' files into the blob store as an upload does. A file that is there already is not stored again."""
    row = stage.row(case_id)
    key = stage.keys.data_key(row.key_id)
    for kind in kinds:
        for path in stage.studies.paths(images.of(kind)):
            content = path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            with stage.database.read() as session:
                if _is_stored(session, case_id, sha256):
                    continue
            file_id = new_id("fil")
            with stage.blobs.writer(file_id, key.secret) as writer:
                writer.append(content)
                info = writer.finish()
            with stage.database.write() as session:
                session.add(
                    StoredFile(
                        id=file_id,
                        blob_id=file_id,
                        case_id=case_id,
                        practice_id=row.practice_id,
                        name=sealed_name(
                            key,
                            "stored_file",
                            file_id,
                            name=path.name,
                            path=str(path.relative_to(stage.studies.folder)),
                        ),
                        size=info.size,
                        sha256=sha256,
                        kind=FileKind.UNKNOWN,
                        state=FileState.STORED,
                        uploaded_by=row.created_by,
                        created_at=now(),
                    )
                )


def _is_stored(session: Session, case_id: str, sha256: str) -> bool:
    statement = select(StoredFile.id).where(StoredFile.case_id == case_id, StoredFile.sha256 == sha256)
    return session.exec(statement.limit(1)).first() is not None


async def _act(stage: Stage, story: Story, case_id: str, number: int, step: Step) -> None:
    """Takes one step of a story with its fixed key. A step that was taken before is found and left."""
    key = f"demo-{story.key}-{number}"
    if await asyncio.to_thread(_was_taken, stage, case_id, step.action, key):
        return
    person = stage.person(step.who) if step.who != READER else _reader(stage, case_id)
    if step.action in {Action.SIGN, Action.SUBMIT_FOR_APPROVAL}:
        await asyncio.to_thread(_write_report, stage, story, case_id, person)
    form = dict(step.form)
    if "approver" in form:
        form["approver_id"] = stage.person(form.pop("approver")).user_id
    if step.action in {Action.SIGN, Action.SUBMIT_FOR_APPROVAL, Action.APPROVE}:
        form |= {"password": DEMO_PASSWORD, "draft_hash": await asyncio.to_thread(_draft_hash, stage, case_id)}
    access = stage.access(case_id, person)
    wish = Wish(
        person=person,
        case=access.row,
        held=access.held,
        is_owner=access.is_owner,
        action=step.action,
        form=ACTION_FORMS[step.action].model_validate(form),
        idempotency_key=key,
        fresh=True,
    )
    command = await stage.gateway.act(wish)
    if command.outcome != APPLIED:
        raise SeedingStuck(f"{story.key}: {step.action} was not answered; is the worker running?")
    if step.action is Action.DECLINE:
        await _until(stage, case_id, State.ASSIGNED, State.UNASSIGNED, at_seq=(command.seq or 0) + 1, patience=5.0)


def _was_taken(stage: Stage, case_id: str, action: Action, key: str) -> bool:
    command = NewCommand(case_id=case_id, key_id="", action=action, user_id="", idempotency_key=key, form={})
    with stage.database.read() as session:
        row = session.get(CaseCommand, command.id)
    return row is not None and row.outcome == APPLIED


def _draft_hash(stage: Stage, case_id: str) -> str:
    with stage.database.read() as session:
        return session.get_one(ReportDraft, case_id).content_hash


def _reader(stage: Stage, case_id: str) -> Person:
    assignee = stage.row(case_id).assignee_id
    with stage.database.read() as session:
        user = session.get_one(User, assignee)
        return person_of_user(session, user, session_id="demo-seeding")


def _write_report(stage: Stage, story: Story, case_id: str, reader: Person) -> None:
    """Writes the draft that the next signature needs, where it is not there."""
    access = stage.access(case_id, reader)
    access.need(Right.EDIT_DRAFT)
    is_amendment = state_of(access.row).amendment is not None
    with stage.database.read() as session:
        found = draft_of(session, stage.keys, case_id)
    if found is not None and not is_amendment:
        return
    modality = Modality.CBCT if Kind.CBCT in story.kinds else Modality.PANORAMIC
    with stage.database.write() as session:
        if found is not None:
            body = found[1].model_copy(
                update={"addendum": "Both maxillary sinuses are clear; a small retention cyst lies on the right floor."}
            )
            save_draft(session, stage.keys, access, body, found[0].revision)
            return
        images = add_key_images(session, stage.blobs, access, story.purpose)
        content = demo_report(
            story.purpose,
            modality=modality,
            acquired=date(2026, 11, 20),
            question=story.question,
            key_images=images,
        )
        save_draft(session, stage.keys, access, ReportDraftBody(content=content), 0)


async def _until(stage: Stage, case_id: str, *states: State, at_seq: int, patience: float = _PATIENCE_S) -> None:
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        row = await asyncio.to_thread(stage.row, case_id)
        if row.state in states and row.seq >= at_seq:
            return
        await asyncio.sleep(0.1)
    if patience == _PATIENCE_S:
        raise SeedingStuck(f"case {case_id} stands at {row.state}; is the worker running?")
