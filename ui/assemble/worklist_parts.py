"""The parts of a list, each asked on its own: which cases are in it, and a page of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from api.listing import count_open, worklist
from api.waiting import not_waiting_for, waiting_for
from schemas.access import Person
from schemas.lifecycle import State, WaitOwner, WaitReason
from schemas.tables.case import Case
from schemas.translation import N_
from ui.assemble.worklists import FINISHED, Part

PAGE: Final = 50
"""Rows of a group or a band on its first page, and of each page after it."""

BOARD_STATES: Final = (
    State.PROCESSING,
    State.ATTENTION,
    State.BILLING_HOLD,
    State.UNASSIGNED,
    State.ASSIGNED,
    State.IN_REVIEW,
    State.MODIFICATION_REQUESTED,
    State.AWAITING_APPROVAL,
    State.AMENDING,
)
"""From submission to the report: what a scheduler keeps in time."""
UNFINISHED: Final = col(Case.state).in_(BOARD_STATES) | (col(Case.wait_owner) == WaitOwner.RADIOLOGIST)
"""These, and signed cases with an amendment asked for: somebody has to write, and it may have to be somebody else."""


class Slice(NamedTuple):
    """A part of a list as it is asked for: which cases, and what they are called."""

    title: str
    conditions: tuple[ColumnElement[bool], ...]


def page_of(session: Session, person: Person, wanted: Slice, after: str) -> tuple[Part, str]:
    """A page of the list, and the cursor of the next one."""
    rows, following = worklist(session, person, *wanted.conditions, limit=PAGE, cursor=after)
    # Counted only where it is more than what is there to be counted.
    total = len(rows) if not (after or following) else count_open(session, person, *wanted.conditions)
    return Part(wanted.title, rows, total), following


def first_page(session: Session, person: Person, wanted: Slice, url: str) -> Part:
    part, _ = page_of(session, person, wanted, "")
    return part._replace(url=url)


def practice_slices(session: Session, person: Person) -> dict[str, Slice]:
    underway = col(Case.state).not_in((*FINISHED, State.DRAFT))
    return {
        "yours": Slice(N_("Waiting for you"), (waiting_for(session, person),)),
        "underway": Slice(N_("Under way"), (underway, not_waiting_for(session, person))),
    }


def reading_slices(
    session: Session, person: Person, tab: str, conditions: Sequence[ColumnElement[bool]]
) -> dict[str, Slice]:
    """The groups of a tab: first offers, for they lapse; then what is to be read; then what waits for others."""
    offered = col(Case.state) == State.ASSIGNED
    unsure = col(Case.wait_reason) == WaitReason.IDENTITY_SECOND_PERSON
    match tab:
        case "":
            taken = (*conditions, ~offered)
            return {
                "offered": Slice(N_("Offered to you"), (*conditions, offered)),
                "toread": Slice(N_("To read"), (*taken, waiting_for(session, person))),
                "others": Slice(N_("Waiting for others"), (*taken, not_waiting_for(session, person))),
            }
        case "pool":
            return {
                "identity": Slice(N_("Waiting for a second person"), (*conditions, unsure)),
                "free": Slice(N_("Free to take"), (*conditions, ~unsure)),
            }
        case "approve":
            return {"all": Slice(N_("Waiting for your approval"), tuple(conditions))}
        case _:
            return {}


def reading_conditions(person: Person) -> dict[str, tuple[ColumnElement[bool], ...]]:
    """By tab. The assignee of a signed case has nothing to do with it until an amendment is asked for."""
    me = col(Case.assignee_id) == person.user_id
    author = col(Case.author_id) == person.user_id
    return {
        "": (me, UNFINISHED),
        "pool": (col(Case.assignee_id).is_(None), col(Case.state).in_([State.UNASSIGNED, State.ATTENTION])),
        "approve": (col(Case.approver_id) == person.user_id, col(Case.state) == State.AWAITING_APPROVAL),
        "signed": (author | (col(Case.approver_id) == person.user_id), col(Case.version) > 0),
    }
