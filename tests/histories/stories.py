"""Lives of cases that are worth keeping: each takes other paths through the workflow.

Times are minutes, so that a real server gets through them; the paths are those of days.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.outbox import enqueue
from schemas.decisions import files_fact
from schemas.lifecycle import Action, State, WaitReason
from schemas.sla import DEFAULT_POLICY, AmendmentKind, Priority
from tests.workflows.engine import FOREIGN, LiveCase, Practice

QUICK_POLICY: Final[dict[str, Any]] = {
    "offer_minutes": dict.fromkeys(DEFAULT_POLICY.offer_minutes, 1),
    "link_life_minutes": 1,
    "close_after_minutes": 2,
}


async def released_and_closed(practice: Practice) -> LiveCase:
    """Happy path: signed, released, the link ends, the case closes."""
    practice.use_policy(**QUICK_POLICY)
    case = await practice.signed(Priority.STAT)
    await case.act("dentist", Action.RELEASE)
    return case


async def modified(practice: Practice) -> LiveCase:
    """Two questions, one answered with words and one with new images; rejected in the end."""
    practice.use_policy()
    case = await practice.in_review()
    reader = case.reader
    await case.act(reader, Action.REQUEST_MODIFICATION, text="Which tooth?")
    await case.act("dentist", Action.ANSWER_MODIFICATION, text="36.")
    await case.act(reader, Action.REQUEST_MODIFICATION, text="A lateral view, please.")
    case.world.add_file(case.world.case(case.id))
    await case.act("staff", Action.ANSWER_MODIFICATION, text="Here it is.")
    await case.until(State.IN_REVIEW)
    await case.act(reader, Action.REJECT, reason="The volume is cut off.")
    return case


async def approved(practice: Practice) -> LiveCase:
    """A contract with a second signature: returned once, then approved; amended and withdrawn."""
    practice.use_policy(requires_approval=True)
    case = await practice.open()
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    if case.reader != "radiologist":
        author = case.world.user_id("radiologist")
        await case.act("scheduler", Action.REASSIGN, radiologist_id=author)
    await case.act("radiologist", Action.ACCEPT)
    approver = case.world.user_id("radiologist2")
    for answer in (Action.RETURN_TO_AUTHOR, Action.APPROVE):
        case.write_report()
        await case.act("radiologist", Action.SUBMIT_FOR_APPROVAL, password="secret", approver_id=approver)
        form = {"password": "secret"} if answer is Action.APPROVE else {"reason": "Say more about 36."}
        await case.act("radiologist2", answer, **form)
    await case.act("radiologist", Action.AMEND, kind=AmendmentKind.CORRECTED, reason="A wrong number.")
    case.write_report()
    await case.act("radiologist", Action.SIGN, password="secret")
    await case.act("radiologist", Action.ENTER_IN_ERROR, password="secret", reason="Of another patient.")
    return case


async def identity_overridden(practice: Practice) -> LiveCase:
    """Images of another name: confirmed, refused, confirmed and agreed to; claimed from the pool, cancelled."""
    practice.use_policy()
    case = await practice.open()
    practice.imaging.by_set[case.id, 1] = FOREIGN
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ATTENTION)
    await case.act("staff", Action.CONFIRM_IDENTITY, reason="A maiden name.")
    await case.act("radiologist", Action.REFUSE_IDENTITY, reason="Please look again.")
    await case.act("dentist", Action.CONFIRM_IDENTITY, reason="Looked again.")
    await case.act("radiologist2", Action.AGREE_IDENTITY)
    await case.until(State.ASSIGNED)
    await case.act(case.reader, Action.DECLINE, reason="On leave.")
    await case.until(State.ASSIGNED)
    await case.act("dentist", Action.CANCEL)
    return case


async def offer_lapsed(practice: Practice) -> LiveCase:
    """Nobody answers: both readers are passed over, the scheduler finds the first one after all."""
    practice.use_policy(**QUICK_POLICY)
    case = await practice.open(Priority.STAT)
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    return case


async def late_images(practice: Practice) -> LiveCase:
    """Files after submission: documents and images while it is read, and after the release foreign ones and right ones."""
    practice.use_policy()
    case = await practice.in_review()
    row, reader = case.world.case(case.id), case.reader
    case.world.add_file(row, kind="document", state="ready")
    await case.act("dentist", Action.ADD_IMAGES)
    case.world.add_file(row)
    await case.act("staff", Action.ADD_IMAGES)
    await case.until(State.IN_REVIEW)
    case.write_report()
    await case.act(reader, Action.SIGN, password="secret")
    await case.act("dentist", Action.RELEASE)
    practice.imaging.by_set[case.id, 4] = FOREIGN
    case.world.add_file(row, kind="dicom", state="ready")
    await case.act("dentist", Action.ADD_IMAGES)
    await case.waits_for(WaitReason.IDENTITY_MISMATCH)
    await case.act("staff", Action.REMOVE_LATE_IMAGES)
    case.world.add_file(row, kind="dicom", state="ready")
    with case.world.database.write() as session:
        enqueue(session, files_fact(case.stands()), case.id)
    await practice.gateway.announce(case.id)
    await case.act("dentist", Action.ADD_IMAGES)
    await case.waits_for(WaitReason.LATE_IMAGES)
    await case.act(reader, Action.KEEP_REPORT, password="secret", image_set=case.recorded.image_set)
    await case.act(reader, Action.ENTER_IN_ERROR, password="secret", reason="Of another patient.")
    return case


STORIES: Final[dict[str, Callable[[Practice], Awaitable[LiveCase]]]] = {
    "released_and_closed": released_and_closed,
    "modified": modified,
    "approved": approved,
    "identity_overridden": identity_overridden,
    "offer_lapsed": offer_lapsed,
    "late_images": late_images,
}
