"""What happens to each of the demo's cases: data that the seeding plays through the real system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.clinical import Purpose
from schemas.lifecycle import Action
from schemas.sla import Priority
from worker.demo.patients import Kind

READER = "reader"
"""Whoever has the case at that moment."""


@dataclass(frozen=True)
class Step:
    """``who`` is an account of ``worker.demo.people`` or :data:`READER`."""

    who: str
    action: Action
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """``patient`` and ``images_of`` index ``DEMO_PATIENTS``; they differ where the wrong images are sent."""

    key: str
    practice: str
    dentist: str
    patient: int
    purpose: Purpose
    question: str
    kinds: tuple[Kind, ...]
    priority: Priority = Priority.ROUTINE
    images_of: int | None = None
    reader: str | None = None
    """The radiologist whom the scheduler gives it to, whoever the automatic assignment chose."""
    steps: tuple[Step, ...] = ()
    is_submitted: bool = True


_ACCEPT: Final = Step(READER, Action.ACCEPT)
_SIGN: Final = Step(READER, Action.SIGN)
_IMPLANT: Final = "Is there enough bone for an implant at 36, and how far is the canal?"
_ENDO: Final = "Pain at 36, root filled two years ago. Is there a lesion, and a missed canal?"
_WISDOM: Final = "How does 38 lie to the mandibular canal?"
_CHECK: Final = "Panoramic overview before orthodontic treatment; please report incidental findings."

STORIES: Final[tuple[Story, ...]] = (
    Story(
        "released",
        "seefeld",
        "dentist",
        0,
        Purpose.IMPLANT,
        _IMPLANT,
        (Kind.CBCT, Kind.PHOTOGRAPH),
        reader="radiologist",
        steps=(_ACCEPT, _SIGN, Step("dentist", Action.RELEASE)),
    ),
    Story(
        "amended",
        "seefeld",
        "dentist",
        2,
        Purpose.IMPACTION,
        _WISDOM,
        (Kind.PANORAMIC,),
        reader="radiologist",
        steps=(
            _ACCEPT,
            _SIGN,
            Step("dentist", Action.RELEASE),
            Step("dentist", Action.REQUEST_AMENDMENT, {"reason": "Please comment on the maxillary sinuses."}),
            Step(READER, Action.AMEND, {"kind": "appended", "reason": "The practice asked about the sinuses."}),
            _SIGN,
        ),
    ),
    Story(
        "signed",
        "seefeld",
        "dentist",
        1,
        Purpose.ENDODONTICS,
        _ENDO,
        (Kind.INTRAORAL,),
        priority=Priority.URGENT,
        reader="radiologist",
        steps=(_ACCEPT, _SIGN),
    ),
    Story(
        "in_review",
        "seefeld",
        "dentist",
        2,
        Purpose.IMPACTION,
        _WISDOM,
        (Kind.CBCT, Kind.PANORAMIC),
        reader="radiologist",
        steps=(_ACCEPT,),
    ),
    Story(
        "question",
        "seefeld",
        "dentist",
        3,
        Purpose.ORTHODONTICS,
        _CHECK,
        (Kind.PANORAMIC,),
        reader="radiologist",
        steps=(
            _ACCEPT,
            Step(
                READER,
                Action.REQUEST_MODIFICATION,
                {"text": "The lower front is cut off. Please add the periapical of 31 and 41."},
            ),
        ),
    ),
    Story(
        "offered",
        "seefeld",
        "dentist",
        1,
        Purpose.ENDODONTICS,
        _ENDO,
        (Kind.CBCT,),
        priority=Priority.URGENT,
        reader="radiologist",
    ),
    Story(
        "approval",
        "limmat",
        "dentist2",
        0,
        Purpose.IMPLANT,
        _IMPLANT,
        (Kind.PANORAMIC,),
        reader="radiologist",
        steps=(_ACCEPT, Step(READER, Action.SUBMIT_FOR_APPROVAL, {"approver": "radiologist2"})),
    ),
    Story(
        "unassigned",
        "limmat",
        "dentist2",
        3,
        Purpose.PATHOLOGY,
        "Radiolucency at 45 seen elsewhere: is it the mental foramen?",
        (Kind.PANORAMIC,),
        priority=Priority.STAT,
        steps=(
            Step(READER, Action.DECLINE, {"reason": "On leave from noon."}),
            Step(READER, Action.DECLINE, {"reason": "At a conference today."}),
        ),
    ),
    Story(
        "wrong_patient",
        "seefeld",
        "dentist",
        3,
        Purpose.ENDODONTICS,
        "Deep filling at 46: periapical status?",
        (Kind.INTRAORAL,),
        images_of=1,
    ),
    Story(
        "rejected",
        "limmat",
        "dentist2",
        3,
        Purpose.TMD,
        "Clicking right joint.",
        (Kind.PANORAMIC,),
        reader="radiologist2",
        steps=(
            _ACCEPT,
            Step(
                READER, Action.REJECT, {"reason": "A panoramic image cannot answer this. Please send an MRI request."}
            ),
        ),
    ),
    Story(
        "draft",
        "seefeld",
        "dentist",
        0,
        Purpose.IMPLANT,
        "Control after implant 46.",
        (Kind.PANORAMIC,),
        is_submitted=False,
    ),
)
