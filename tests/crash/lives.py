"""Whole cases over HTTP, from a new patient to a released report or another end: what a campaign's people do."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from infra.demo_accounts import DEMO_PASSWORD
from schemas.clinical import Purpose
from schemas.forms import ReportDraftBody
from schemas.lifecycle import Action, State
from schemas.report_parts import Modality
from schemas.state import LateCheck
from tests.activities.imaging.files import dicom_file, pdf
from tests.activities.imaging.zips import zipped
from tests.crash.caller import PATIENCE_S, Caller, Surprising, Unanswered, command_id_of, need, new_key
from tests.crash.ledger import LifeStory, Told
from worker.demo.reports import demo_report

READERS: Final = ("radiologist", "radiologist2")
PEOPLE: Final = ("dentist", *READERS)
_LOOK_S: Final = 0.3
_FORM: Final = {
    "referrer": "Dr. Laura Keller",
    "purpose": "implant",
    "clinical_question": "Is there enough bone for an implant at 36?",
    "teeth": ["36"],
    "consent": True,
    "pregnancy": "not_pregnant",
}


class End(StrEnum):
    """How a life ends."""

    RELEASED = "released"
    DRAFT_CANCELLED = "draft cancelled"
    SUBMISSION_CANCELLED = "submission cancelled"
    REVIEW_CANCELLED = "review cancelled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_STATES: Final = {
    End.RELEASED: State.RELEASED,
    End.DRAFT_CANCELLED: State.CANCELLED,
    End.SUBMISSION_CANCELLED: State.CANCELLED,
    End.REVIEW_CANCELLED: State.CANCELLED,
    End.REJECTED: State.REJECTED,
    End.WITHDRAWN: State.ENTERED_IN_ERROR,
}
_DECK: Final = (*[End.RELEASED] * 7, *(end for end in End if end is not End.RELEASED))
_UNCHECKED: Final = (End.DRAFT_CANCELLED, End.SUBMISSION_CANCELLED)
_LAST: Final = {
    End.REVIEW_CANCELLED: Action.CANCEL,
    End.REJECTED: Action.REJECT,
}


@dataclass(frozen=True)
class Plan:
    """What happens in one life, decided before it begins."""

    number: int
    end: End
    is_declined: bool
    is_asked: bool
    has_new_images: bool
    is_amended: bool
    is_archived: bool
    has_late_image: bool
    has_document: bool

    @property
    def actions(self) -> Sequence[Action]:
        if self.end is End.DRAFT_CANCELLED:
            return [Action.CANCEL]
        if self.end is End.SUBMISSION_CANCELLED:
            return [Action.SUBMIT, Action.CANCEL]
        steps = [Action.SUBMIT, *([Action.DECLINE] if self.is_declined else []), Action.ACCEPT]
        if self.is_asked:
            steps += [Action.REQUEST_MODIFICATION, Action.ANSWER_MODIFICATION]
        if self.end in _LAST:
            return [*steps, _LAST[self.end]]
        steps += [Action.SIGN, Action.RELEASE]
        if self.has_late_image:
            steps += [Action.ADD_IMAGES, Action.KEEP_REPORT]
        if self.is_amended:
            steps += [Action.AMEND, Action.SIGN]
        return [*steps, Action.ENTER_IN_ERROR] if self.end is End.WITHDRAWN else steps


def plans(chance: random.Random) -> Iterator[Plan]:
    """Lives without end: of each twelve, seven are released and one goes each of the other ways."""
    number = 0
    while True:
        for end in chance.sample(_DECK, len(_DECK)):
            number += 1
            yield Plan(
                number,
                end,
                is_declined=chance.random() < 0.25,
                is_asked=chance.random() < 0.35,
                has_new_images=chance.random() < 0.5,
                is_amended=chance.random() < 0.35,
                # Of a case that ends before it was checked, nobody could say whether its archive was opened.
                is_archived=chance.random() < 0.5 and end not in _UNCHECKED,
                has_late_image=chance.random() < 0.4,
                has_document=chance.random() < 0.5,
            )


class Life:
    """One case, carried to its end by its people."""

    def __init__(self, plan: Plan, caller: Caller) -> None:
        self.plan = plan
        self.story = LifeStory(
            patient_email=f"patient-{plan.number}@patients.test", actions=plan.actions, end=_STATES[plan.end]
        )
        self._caller = caller
        self._reader = ""

    async def live(self) -> None:
        """Raises Surprising or Unanswered."""
        await self._open()
        for action in self.story.actions:
            await getattr(self, f"_{action}")()

    @property
    def _number(self) -> str:
        return f"LIFE-{self.plan.number}"

    async def _open(self) -> None:
        caller, story = self._caller, self.story
        patient = {
            "family_name": "Muster",
            "given_name": "Anna",
            "birth_date": "1980-02-14",
            "sex": "female",
            "patient_number": self._number,
            "email": story.patient_email,
        }
        path = "/api/v1/patients?confirmed=true"
        made = await caller.ask("dentist", "POST", path, {"Idempotency-Key": new_key()}, json=patient)
        story.patient_id = need(made, 201).json()["id"]
        body = {"patient_id": story.patient_id, "priority": "urgent", "form": _FORM}
        key = new_key()
        opened = need(await caller.ask("dentist", "POST", "/api/v1/cases", {"Idempotency-Key": key}, json=body), 201)
        story.case_id = opened.json()["id"]
        caller.ledger.applied.append(
            Told(story.case_id, command_id_of(opened.json()["practice_id"], key), Action.CREATE)
        )
        await (self._add_archive() if self.plan.is_archived else self._add_file())
        if self.plan.has_document:
            document = pdf() + self._number.encode()
            await caller.upload("dentist", {"patient_id": story.patient_id}, document, "letter.pdf")
            story.documents.append(document)

    async def _add_file(self) -> None:
        await self._upload(self._next_image(), "image.dcm")

    async def _add_archive(self) -> None:
        archive = zipped({"1": self._next_image(), "2": self._next_image()})
        self.story.archives.append(archive)
        await self._upload(archive, "scan.zip")

    def _next_image(self) -> bytes:
        """One more that the case is to have."""
        files = self.story.files
        patient = {
            "PatientName": "Muster^Anna",
            "PatientID": self._number,
            "PatientBirthDate": "19800214",
            "PatientSex": "F",
        }
        files.append(dicom_file(number=len(files) + 1, size=32, patient=patient))
        return files[-1]

    async def _upload(self, content: bytes, name: str) -> None:
        story = self.story
        await self._caller.upload("dentist", {"case_id": story.case_id}, content, name)
        story.uploads += 1
        path = f"/api/v1/cases/{story.case_id}/files/settled"
        need(await self._caller.ask("dentist", "POST", path, json={}), 202)

    async def _act(self, name: str, action: Action, **form: Any) -> None:
        await self._caller.act(name, self.story.case_id, action, **form)

    async def _until(self, state: State, *, other_than: str = "") -> dict[str, Any]:
        """The case once it stands there, with a reader other than that one."""
        return await self._once(
            lambda case: case["state"] == state and (case["assignee"] or {}).get("id") != other_than, state
        )

    async def _once(self, is_so: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        with self._caller.ledger.waiting(by_the_system=True):
            while True:
                answer = await self._caller.ask("dentist", "GET", f"/api/v1/cases/{self.story.case_id}")
                case: dict[str, Any] = need(answer, 200).json()
                if is_so(case):
                    return case
                if time.monotonic() > deadline:
                    raise Unanswered(f"{self.story.case_id} stands at {case['state']}, not at {what}")
                await asyncio.sleep(_LOOK_S)

    async def _submit(self) -> None:
        await self._act("dentist", Action.SUBMIT)
        if self.plan.end is not End.SUBMISSION_CANCELLED:
            await self._meet_reader()

    async def _meet_reader(self, other_than: str = "") -> str:
        case = await self._until(State.ASSIGNED, other_than=other_than)
        self._reader = self._caller.name_of(case["assignee"]["id"])
        return str(case["assignee"]["id"])

    async def _decline(self) -> None:
        declining = await self._meet_reader()
        await self._act(self._reader, Action.DECLINE, reason="Away this week.")
        await self._meet_reader(other_than=declining)

    async def _accept(self) -> None:
        await self._act(self._reader, Action.ACCEPT)
        await self._say(self._reader, f"I read case {self.story.case_id} today.")

    async def _say(self, name: str, text: str) -> None:
        path = f"/api/v1/cases/{self.story.case_id}/messages"
        need(await self._caller.ask(name, "POST", path, {"Idempotency-Key": new_key()}, json={"body": text}), 201)
        self.story.said.append(text)

    async def _request_modification(self) -> None:
        await self._act(self._reader, Action.REQUEST_MODIFICATION, text="Which side is the pain on?")

    async def _answer_modification(self) -> None:
        if self.plan.has_new_images:
            await self._add_file()
        await self._act("dentist", Action.ANSWER_MODIFICATION, text="Left, region 36.")
        await self._until(State.IN_REVIEW)

    async def _sign(self) -> None:
        read = await (self._write_addendum() if self.story.texts else self._write_report())
        await self._act(self._reader, Action.SIGN, password=DEMO_PASSWORD, draft_hash=read)

    async def _release(self) -> None:
        await self._act("dentist", Action.RELEASE)

    async def _add_images(self) -> None:
        await self._add_file()
        await self._act("dentist", Action.ADD_IMAGES)

    async def _keep_report(self) -> None:
        case = await self._once(lambda case: (case["late_images"] or {}).get("check") == LateCheck.OFFERED, "offered")
        await self._act(self._reader, Action.KEEP_REPORT, password=DEMO_PASSWORD, image_set=case["image_set"])

    async def _amend(self) -> None:
        await self._act(self._reader, Action.AMEND, kind="appended", reason="The practice asked about the sinuses.")

    async def _cancel(self) -> None:
        await self._act("dentist", Action.CANCEL, reason="The patient stays away.")

    async def _reject(self) -> None:
        await self._act(self._reader, Action.REJECT, reason="Not a question for images.")

    async def _enter_in_error(self) -> None:
        await self._act(self._reader, Action.ENTER_IN_ERROR, password=DEMO_PASSWORD, reason="Of another patient.")

    async def _write_report(self) -> str:
        content = demo_report(
            Purpose.IMPLANT, modality=Modality.PANORAMIC, acquired=date(2026, 11, 2), question="Enough bone at 36?"
        )
        text = f"Bone is sufficient in case {self.story.case_id}."
        body = ReportDraftBody(content=content.model_copy(update={"impression": text}))
        saved = await self._save(body.model_dump(mode="json"))
        self.story.texts.append(text)
        return saved

    async def _write_addendum(self) -> str:
        path = f"/api/v1/cases/{self.story.case_id}/report/draft"
        draft = need(await self._caller.ask(self._reader, "GET", path), 200).json()
        text = f"Both sinuses are clear in case {self.story.case_id}."
        saved = await self._save({**draft, "addendum": text})
        self.story.texts.append(text)
        return saved

    async def _save(self, body: dict[str, Any]) -> str:
        """Saves the draft; returns its hash. Whose answer was lost is told that somebody else saved, and saves again."""
        path = f"/api/v1/cases/{self.story.case_id}/report/draft"
        for _ in range(20):
            there = need(await self._caller.ask(self._reader, "GET", path), 200)
            headers = {"If-Match": there.headers["ETag"]}
            saved = need(await self._caller.ask(self._reader, "PUT", path, headers, json=body), 200, 412)
            if saved.status_code == 200:
                return str(saved.json()["draft_hash"])
        raise Surprising(f"the draft of {self.story.case_id} cannot be saved")
