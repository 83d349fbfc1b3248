"""What is somebody's own and nobody else's: a session while it is used, a notice, a file before it is submitted, a chat's
two channels, a role in another practice, and a signature's password.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import select

from api.imaging.access import CaseImages
from api.imaging.files import need_file
from api.notices import count_unread, mark_notices_read
from infra.database import now
from infra.sessions import BROWSER, Sessions
from schemas.errors import NotFound, NotSignedIn
from schemas.ids import new_id
from schemas.lifecycle import Role, State
from schemas.tables.case import CaseCommand
from schemas.tables.imaging import StoredFile
from schemas.tables.people import Membership, Session, User
from schemas.tables.wires import Notification
from tests.api.test_holding import client_of, put_into
from tests.ui.site import PASSWORD, Site, site


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


def sessions_of(place: Site) -> Sessions:
    services = place.app.state.services
    return Sessions(services.database, services.passwords, services.settings)


async def test_a_browser_that_was_left_alone_is_signed_out(quiet: Site) -> None:
    sessions = sessions_of(quiet)
    signed_in = sessions.sign_in("dentist@demo.test", PASSWORD, BROWSER, "here")
    idle = timedelta(minutes=quiet.settings.session_idle_minutes)
    for unused, is_welcome in ((idle - timedelta(minutes=1), True), (idle + timedelta(minutes=1), False)):
        with quiet.world.database.write() as session:
            session.get_one(Session, signed_in.session_id).last_seen_at = now() - unused
        if is_welcome:
            sessions.person(signed_in.token)
        else:
            with pytest.raises(NotSignedIn):
                sessions.person(signed_in.token)


async def test_a_session_that_outlived_its_account_opens_nothing(quiet: Site) -> None:
    """Disabling ends sessions; one that was opened at the same moment, or came back with a backup, is worth nothing too."""
    async with client_of(quiet, "dentist") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        with quiet.world.database.write() as session:
            session.get_one(User, quiet.world.user_id("dentist")).is_active = False
        assert (await client.get("/api/v1/me")).status_code == 401


def notice(place: Site, name: str, case_id: str) -> str:
    notice_id = new_id("ntf")
    with place.world.database.write() as session:
        session.add(
            Notification(
                id=notice_id,
                user_id=place.world.user_id(name),
                case_id=case_id,
                effect_key=f"{case_id}:notify:{name}",
                notice="offered",
                created_at=now(),
            )
        )
    return notice_id


async def test_nobody_reads_the_notices_of_others_away(quiet: Site) -> None:
    case = quiet.world.add_case()
    theirs, mine = notice(quiet, "staff", case.id), notice(quiet, "dentist", case.id)
    dentist, staff = quiet.world.user_id("dentist"), quiet.world.user_id("staff")
    for chosen in ({"notice_id": theirs}, {"case_id": case.id}, {"notice_id": mine}, {}):
        with quiet.world.database.write() as session:
            mark_notices_read(session, dentist, **chosen)
    with quiet.world.database.read() as session:
        assert (count_unread(session, dentist), count_unread(session, staff)) == (0, 1)


async def test_a_reader_opens_no_file_before_it_is_submitted(quiet: Site) -> None:
    case = quiet.world.add_case()
    file_id = quiet.world.add_file(case).id
    key = quiet.world.keys.data_key(case.key_id)
    own, reader = CaseImages(case, key, None), CaseImages(case, key, 1)
    with quiet.world.database.write() as session:
        session.get_one(StoredFile, file_id).state = "ready"
        assert need_file(session, own, file_id).id == file_id
        with pytest.raises(NotFound):
            need_file(session, reader, file_id)
        session.get_one(StoredFile, file_id).first_set = 1
        assert need_file(session, reader, file_id).id == file_id


async def test_schedulers_see_the_logistics_of_a_chat_and_none_of_its_clinical_part(quiet: Site) -> None:
    case = quiet.world.add_case()
    put_into(quiet, case, State.IN_REVIEW, "radiologist")
    place = f"/api/v1/cases/{case.id}/messages"
    async with client_of(quiet, "dentist") as dentist, client_of(quiet, "scheduler") as scheduler:
        for client, body in ((dentist, "Pain at 36"), (scheduler, "Please call us")):
            said = await client.post(place, json={"body": body}, headers={"Idempotency-Key": "k"})
            assert said.status_code == 201, said.text
        assert [item["body"] for item in (await scheduler.get(place)).json()["items"]] == ["Please call us"]
        assert [item["body"] for item in (await dentist.get(place)).json()["items"]] == ["Pain at 36", "Please call us"]
        asked = await dentist.post(place, json={"body": "When?", "asks": True}, headers={"Idempotency-Key": "q"})
        assert (await scheduler.post(f"{place}/{asked.json()['id']}/answered")).status_code == 404


async def test_a_question_is_answered_under_its_own_case_alone(quiet: Site) -> None:
    case, other = quiet.world.add_case(), quiet.world.add_case()
    async with client_of(quiet, "dentist") as client:
        base = "/api/v1/cases/{}/messages"
        question = {"body": "When?", "asks": True}
        asked = await client.post(base.format(other.id), json=question, headers={"Idempotency-Key": "k"})
        message_id = asked.json()["id"]
        assert (await client.post(f"{base.format(case.id)}/{message_id}/answered")).status_code == 404
        assert (await client.post(f"{base.format(other.id)}/{message_id}/answered")).status_code == 200


async def test_an_owner_gives_no_role_in_another_practice_to_somebody_of_both(quiet: Site) -> None:
    staff, second = quiet.world.user_id("staff"), quiet.world.organizations["practice2"]
    membership_id = new_id("mem")
    with quiet.world.database.write() as session:
        session.add(
            Membership(id=membership_id, user_id=staff, organization_id=second, role=Role.SCHEDULER, created_at=now())
        )
    async with client_of(quiet, "dentist") as owner:
        path = f"/api/v1/practice/users/{staff}/memberships/"
        wanted = {"role": "dentist", "owner": True}
        assert (await owner.put(path + second, json=wanted)).status_code == 404
        own = await owner.put(path + quiet.world.organizations["practice"], json={"role": "staff"})
        assert own.status_code == 200, own.text
    with quiet.world.database.read() as session:
        kept = session.get_one(Membership, membership_id)
    assert (kept.role, kept.is_owner) == (Role.SCHEDULER, False)


async def test_who_may_sign_does_not_with_a_wrong_password(quiet: Site) -> None:
    """Not even a command of it is there: it would be taken as fresh when it is sent again."""
    case = quiet.world.add_case()
    put_into(quiet, case, State.IN_REVIEW, "radiologist")
    path = f"/api/v1/cases/{case.id}/actions/sign"
    form = {"draft_hash": "0" * 64}
    async with client_of(quiet, "radiologist") as client:
        answer = await client.post(path, json=form | {"password": "wrong"}, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
        with quiet.world.database.read() as session:
            assert session.exec(select(CaseCommand).where(CaseCommand.case_id == case.id)).all() == []
        right = await client.post(path, json=form | {"password": PASSWORD}, headers={"Idempotency-Key": "k"})
        assert right.json()["code"] == "engine_unavailable"
