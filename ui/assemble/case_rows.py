"""Rows of the lists: one case in a line."""

from collections.abc import Mapping, Sequence
from typing import Final

from activities.records.projection import state_of
from api.listing import Held
from api.row_facts import UNCHECKED, RowFacts
from api.waiting import waits_for
from schemas.access import Right, may, owns_practice
from schemas.ages import age_by_year
from schemas.clinical import PURPOSE_LABELS, REGION_LABELS, SEX_LABELS, Purpose, Region, Sex
from schemas.conditions import possible_actions
from schemas.forms import Demographics
from schemas.lifecycle import Action, Relation, Role, State, Taker, WaitReason
from schemas.state import CaseState
from schemas.tables.case import Case
from schemas.translation import N_
from ui.assemble.clocks import clock_of
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.assemble.waits import wait_of
from ui.views import CaseRow, state_chip

MODALITY_WORDS: Final[Mapping[str, str]] = {
    "CT": N_("CBCT"),
    "PX": N_("Panoramic"),
    "IO": N_("Intraoral"),
    "DX": N_("Projection radiograph"),
    "CR": N_("Projection radiograph"),
    "RG": N_("Projection radiograph"),
    "MR": N_("MR"),
    "US": N_("Ultrasound"),
    "XC": N_("Photographs"),
    "photo": N_("Photographs"),
    "OT": N_("Other images"),
    "SC": N_("Other images"),
}
"""DICOM modality codes (PS3.3 C.7.3.1.1.1) as a dentist calls them: a CT of this field is cone beam."""

_READER: Final = Taker(Role.RADIOLOGIST, Relation.ASSIGNED)
_SECOND: Final = Taker(Role.RADIOLOGIST, Relation.SECOND)
_IN_READING: Final = frozenset({State.IN_REVIEW, State.AMENDING, State.MODIFICATION_REQUESTED, State.AWAITING_APPROVAL})
_ROW_STEPS: Final = (
    (Action.ACCEPT, N_("Accept")),
    (Action.CLAIM, N_("Take")),
)
_BOARD_STEPS: Final = (
    (Action.ASSIGN, N_("Assign")),
    (Action.REASSIGN, N_("Reassign")),
)


def modality_words(codes: Sequence[str], looker: Looker) -> str:
    words = [looker.say(MODALITY_WORDS.get(code, code)) for code in codes if code != UNCHECKED]
    if not words:
        return looker.say(N_("Images being checked") if codes else N_("No images yet"))
    return ", ".join(dict.fromkeys(words))


def about_person(person: Demographics | None, row: Case, looker: Looker) -> str:
    """Age and sex; of somebody who may stay unknown, by the year of birth."""
    if person is not None:
        age, sex = looker.age_on(person.birth_date), person.sex
    elif row.patient_birth_year:
        age, sex = age_by_year(row.patient_birth_year, looker.moment.date()), Sex(row.patient_sex or Sex.UNKNOWN)
    else:
        return ""
    years = looker.say(N_("%(age)s y"), age=age)
    return years if sex is Sex.UNKNOWN else f"{years}, {looker.say(SEX_LABELS[sex]).lower()}"


def about_known(person: Demographics | None, row: Case, looker: Looker) -> str:
    """As :func:`about_person`, with the date of birth of somebody who is known: two people may share a name and an age."""
    about = about_person(person, row, looker)
    if person is None:
        return about
    return looker.say(N_("%(about)s, born %(day)s"), about=about, day=looker.day(person.birth_date))


def purpose_words(row: Case, looker: Looker) -> str:
    """The purpose; without one the region, where that is all that was said."""
    if row.purpose:
        return looker.say(PURPOSE_LABELS[Purpose(row.purpose)])
    return looker.say(REGION_LABELS[Region(row.region)]) if row.region else looker.say(N_("No purpose chosen yet"))


def case_url(row: Case, held: frozenset[Taker]) -> str:
    """A reader's own case opens where it is read; everything else on the page of the case."""
    reads = _READER in held or _SECOND in held
    to_read = State(row.state) in _IN_READING or row.wait_reason == WaitReason.LATE_IMAGES
    return f"/cases/{row.id}/read" if reads and to_read else f"/cases/{row.id}"


def case_rows(rows: Sequence[Held], facts: RowFacts, looker: Looker, *, board: bool = False) -> tuple[CaseRow, ...]:
    """``board``: rows for a scheduler, who gives cases to people."""
    return tuple(_case_row(row, held, facts, looker, board=board) for row, held in rows)


def _case_row(row: Case, held: frozenset[Taker], facts: RowFacts, looker: Looker, *, board: bool) -> CaseRow:
    state, case = State(row.state), state_of(row)
    clinical = may(Right.SEE_ROW, held, state)
    known = may(Right.SEE_CASE, held, state)
    person = facts.people.get(row.patient_id) if known else None
    form = facts.forms.get(row.id) if known else None
    yours = waits_for(row, held, is_owner=owns_practice(looker.person, row.practice_id))
    action, url = _step(case, held, looker, board=board)
    return CaseRow(
        id=row.id,
        url=case_url(row, held),
        number=row.number,
        patient=person.full_name if person else "",
        about=about_person(person, row, looker) if clinical else row.number,
        purpose=purpose_words(row, looker) if clinical else "",
        modality=modality_words(facts.modalities.get(row.id, ()), looker),
        teeth=looker.teeth(form.teeth) if form else (),
        priority=row.priority,
        chip=state_chip(state),
        wait=wait_of(row, looker, yours=yours, names=facts.names),
        clock=clock_of(case, looker),
        practice=facts.practices.get(row.practice_id, ""),
        radiologist=facts.names.get(row.assignee_id or "", ""),
        radiologist_id=row.assignee_id or "",
        changed=row.updated_at,
        unread=facts.unread.get(row.id, 0),
        action=action,
        action_url=url,
        nonce=new_nonce() if url else "",
    )


def _step(case: CaseState, held: frozenset[Taker], looker: Looker, *, board: bool) -> tuple[str, str]:
    """The one thing to do from the row itself, and where it is posted."""
    possible = possible_actions(case, held, looker.person.user_id)
    for action, word in _BOARD_STEPS if board else _ROW_STEPS:
        if action in possible:
            return looker.say(word), f"/cases/{case.case_id}/actions/{action}"
    return "", ""
