"""Sample worklists and the board."""

from datetime import timedelta
from typing import Final

from schemas.lifecycle import State
from ui.pages.samples.base import STOPPED, before, paused, running
from ui.pages.samples.waits import (
    LATE_WAIT,
    OFFER_WAIT,
    POOL_WAIT,
    QUESTION_WAIT,
    READING_WAIT,
    RELEASE_WAIT,
    SYSTEM_WAIT,
)
from ui.views import BoardBand, BoardView, CaseGroup, CaseRow, Filter, Option, PoolView, Wait, WorklistView, state_chip

_H = timedelta(hours=1)
_ROUTINE, _URGENT, _STAT = 48 * _H, 8 * _H, _H

MINE_NEXT: Final = (
    CaseRow(
        id="c1",
        url="/styleguide/pages/case-question",
        number="HL-2418",
        patient="Amara Okafor",
        about="34 y, female",
        purpose="Impacted teeth",
        modality="CBCT",
        teeth=("38", "48"),
        chip=state_chip(State.MODIFICATION_REQUESTED),
        wait=QUESTION_WAIT,
        clock=paused(21 * _H, "practice"),
        changed=before(hours=2),
        unread=2,
    ),
    CaseRow(
        id="c2",
        url="/styleguide/pages/case-signed",
        number="HL-2411",
        patient="Tomasz Zieliński",
        about="58 y, male",
        purpose="Implant planning",
        modality="CBCT",
        teeth=("36",),
        chip=state_chip(State.SIGNED),
        wait=RELEASE_WAIT,
        clock=STOPPED,
        changed=before(hours=18),
    ),
    CaseRow(
        id="c3",
        url="/styleguide/pages/case-attention",
        number="HL-2420",
        patient="Mateo Rivas",
        about="11 y, male",
        purpose="Trauma",
        modality="Intraoral",
        teeth=("11", "21"),
        priority="urgent",
        chip=state_chip(State.ATTENTION),
        wait=Wait(
            sentence="Waiting for you: two images name another patient. Replace them, or confirm that they are right.",
            since=before(minutes=12),
            yours=True,
        ),
        clock=paused(7 * _H, "practice"),
        changed=before(minutes=12),
    ),
)
UNDER_WAY: Final = (
    CaseRow(
        id="c4",
        url="/styleguide/pages/case-reading",
        number="HL-2416",
        patient="Ingrid Sørensen",
        about="47 y, female",
        purpose="Endodontics",
        modality="CBCT",
        teeth=("26",),
        priority="urgent",
        chip=state_chip(State.IN_REVIEW),
        wait=READING_WAIT,
        clock=running(timedelta(hours=2, minutes=25), _URGENT),
        changed=before(hours=3),
        radiologist="Dr Jonas Weber",
    ),
    CaseRow(
        id="c5",
        url="/styleguide/pages/case-reading",
        number="HL-2421",
        patient="Lena Brandt",
        about="29 y, female",
        purpose="Temporomandibular joints",
        modality="CBCT",
        chip=state_chip(State.UNASSIGNED),
        wait=POOL_WAIT,
        clock=running(timedelta(hours=46), _ROUTINE),
        changed=before(minutes=34),
    ),
    CaseRow(
        id="c6",
        url="/styleguide/pages/case-draft",
        number="HL-2422",
        patient="George Whitcombe-Lancaster",
        about="71 y, male",
        purpose="Pathology",
        modality="Panoramic",
        chip=state_chip(State.PROCESSING),
        wait=SYSTEM_WAIT,
        clock=running(timedelta(hours=47, minutes=58), _ROUTINE),
        changed=before(minutes=1),
    ),
)
FINISHED: Final = (
    CaseRow(
        id="c7",
        url="/styleguide/pages/case-signed",
        number="HL-2399",
        patient="Noor Haddad",
        about="22 y, female",
        purpose="Orthodontics",
        modality="Cephalometric",
        chip=state_chip(State.RELEASED),
        clock=STOPPED,
        changed=before(days=2),
    ),
    CaseRow(
        id="c8",
        url="/styleguide/pages/case-signed",
        number="HL-2387",
        patient="Piotr Nowak",
        about="63 y, male",
        purpose="Airway",
        modality="CBCT",
        chip=state_chip(State.CLOSED),
        clock=STOPPED,
        changed=before(days=31),
    ),
)

WORKLIST: Final = WorklistView(
    groups=(
        CaseGroup(title="Waiting for you", rows=MINE_NEXT, due=True),
        CaseGroup(title="Under way", rows=UNDER_WAY),
        CaseGroup(title="Finished", rows=FINISHED, total=148, more_url="/?show=finished"),
    ),
    filters=(
        Filter(word="Open", url="/", total=6, current=True),
        Filter(word="Drafts", url="/?show=drafts", total=2),
        Filter(word="Finished", url="/?show=finished", total=148),
    ),
)


def _row(
    number: str, who: str, about: str, study: str, purpose: str, teeth: str, state: State, left: float, target: timedelta,
    practice: str = "Harbour Lane Dental", action: str = "", wait: Wait | None = None, reader: str = "",
) -> CaseRow:  # fmt: skip
    clock = running(timedelta(minutes=left), target)
    if state is State.MODIFICATION_REQUESTED:
        clock = paused(timedelta(minutes=left), "practice")
    return CaseRow(
        id=number,
        url="/styleguide/pages/reading",
        number=number,
        patient=who,
        about=about,
        modality=study,
        purpose=purpose,
        teeth=tuple(teeth.split()),
        priority={_STAT: "stat", _URGENT: "urgent"}.get(target, "routine"),
        chip=state_chip(state),
        wait=wait,
        clock=clock,
        practice=practice,
        radiologist=reader,
        changed=before(hours=1),
        action=action,
        action_url=f"/cases/{number}/actions/{action.lower()}" if action else "",
        nonce=f"n-{number}",
    )


_READ = Wait(sentence="Waiting for your report.", yours=True)
_ASKED = Wait(sentence="Waiting for the practice: a lateral view of 38 is missing.")
_NORTH = "Northfield Endodontics"

POOL: Final = PoolView(
    tabs=(
        Filter(word="Mine", url="/", total=9, current=True),
        Filter(word="Pool", url="/?tab=pool", total=14),
        Filter(word="To approve", url="/?tab=approve", total=1),
        Filter(word="Signed", url="/?tab=signed"),
    ),
    groups=(
        CaseGroup(
            title="Offered to you",
            rows=(
                _row("HL-2424", "Rosa Lindqvist", "19 y, F", "Intraoral", "Trauma", "11 21", State.ASSIGNED, 24, _STAT,
                     action="Accept", wait=OFFER_WAIT),
                _row("NF-0871", "Samuel Adeyemi", "41 y, M", "CBCT 50×50", "Endodontics", "46", State.ASSIGNED, 390, _URGENT,
                     _NORTH, "Accept", OFFER_WAIT),
            ),
        ),
        CaseGroup(
            title="To read",
            rows=(
                _row("HL-2409", "Bernard Achterberg", "66 y, M", "Panoramic", "Pathology", "", State.IN_REVIEW, -72, _URGENT, wait=_READ),
                _row("HL-2416", "Ingrid Sørensen", "47 y, F", "CBCT 80×80", "Endodontics", "26", State.IN_REVIEW, 85, _URGENT, wait=_READ),
                _row("NF-0866", "Wei Chen", "38 y, F", "CBCT 50×50", "Endodontics", "14 15", State.IN_REVIEW, 1020, _ROUTINE, _NORTH, wait=_READ),
                _row("HL-2405", "Fatima Zahra El Idrissi", "54 y, F", "CBCT 160×100", "Implant planning", "45 46 47", State.IN_REVIEW, 1510, _ROUTINE, wait=_READ),
                _row("HL-2402", "Oliver Grant", "16 y, M", "CBCT 80×80", "Impacted teeth", "13 23", State.IN_REVIEW, 2210, _ROUTINE, wait=_READ),
            ),
        ),
        CaseGroup(
            title="Waiting for others",
            rows=(
                _row("HL-2418", "Amara Okafor", "34 y, F", "CBCT 80×80", "Impacted teeth", "38 48", State.MODIFICATION_REQUESTED, 1260, _ROUTINE, wait=_ASKED),
                _row("NF-0859", "Hugo Martin", "44 y, M", "CBCT 50×50", "Endodontics", "36", State.AWAITING_APPROVAL, 240, _URGENT, _NORTH, wait=LATE_WAIT),
            ),
        ),
    ),
)  # fmt: skip

READERS: Final = (
    Option(value="weber", word="Dr Jonas Weber", hint="5 open"),
    Option(value="raman", word="Dr Priya Raman", hint="3 open"),
    Option(value="okada", word="Dr Yuki Okada", hint="1 open"),
)
BOARD: Final = BoardView(
    bands=(
        BoardBand(key="over", word="Over target", icon="attention", tone="bad", total=1),
        BoardBand(key="risk", word="At risk", icon="attention", tone="warn", total=2),
        BoardBand(key="fine", word="On track", icon="check", tone="ok", total=21),
        BoardBand(key="paused", word="Paused", icon="pause", tone="quiet", total=3),
    ),
    groups=(
        CaseGroup(title="Over target", rows=(
            _row("HL-2409", "", "66 y, M", "Panoramic", "Pathology", "", State.IN_REVIEW, -72, _URGENT, action="Reassign", wait=READING_WAIT, reader="Dr Jonas Weber"),
        )),
        CaseGroup(title="At risk", rows=(
            _row("HL-2424", "", "19 y, F", "Intraoral", "Trauma", "11 21", State.ASSIGNED, 9, _STAT, action="Reassign", wait=Wait(sentence="Waiting for Dr Weber to accept the case."), reader="Dr Jonas Weber"),
            _row("HL-2416", "", "47 y, F", "CBCT 80×80", "Endodontics", "26", State.IN_REVIEW, 85, _URGENT, action="Reassign", wait=READING_WAIT, reader="Dr Jonas Weber"),
        )),
        CaseGroup(title="On track", total=21, rows=(
            _row("NF-0871", "", "41 y, M", "CBCT 50×50", "Endodontics", "46", State.UNASSIGNED, 390, _URGENT, _NORTH, "Assign", POOL_WAIT),
            _row("HL-2421", "", "29 y, F", "CBCT 160×100", "Temporomandibular joints", "", State.UNASSIGNED, 2760, _ROUTINE, "Harbour Lane Dental", "Assign", POOL_WAIT),
            _row("NF-0866", "", "38 y, F", "CBCT 50×50", "Endodontics", "14 15", State.IN_REVIEW, 1020, _ROUTINE, _NORTH, "Reassign", READING_WAIT, "Dr Priya Raman"),
            _row("HL-2405", "", "54 y, F", "CBCT 160×100", "Implant planning", "45 46 47", State.IN_REVIEW, 1510, _ROUTINE, "Harbour Lane Dental", "Reassign", READING_WAIT, "Dr Yuki Okada"),
        )),
        CaseGroup(title="Paused", total=3, rows=(
            _row("HL-2418", "", "34 y, F", "CBCT 80×80", "Impacted teeth", "38 48", State.MODIFICATION_REQUESTED, 1260, _ROUTINE, wait=_ASKED, reader="Dr Jonas Weber"),
        )),
    ),
    readers=READERS,
)  # fmt: skip
