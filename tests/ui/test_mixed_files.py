"""A folder with two patients in it, as the case's page shows it: who is in which file, and two buttons."""

from sqlmodel import col, select

from activities.imaging.batches import judge_batches
from infra.file_batches import begin_batch
from schemas.tables.case import Case
from schemas.tables.imaging import FileBatch, StoredFile
from tests.checked_images import add_checked_image
from tests.ui.reading import read
from tests.ui.site import Site


def mixed_case(site: Site) -> Case:
    """A draft of Anna Moreau, and a folder with an image of hers and one of somebody else's."""
    world = site.world
    case = world.add_case(world.add_patient())
    images = [
        add_checked_image(world, case),
        add_checked_image(world, case, name="Keller^Urs", born="19500101", sex="M"),
    ]
    key = world.keys.data_key(case.key_id)
    with world.database.write() as session:
        files = [session.get_one(StoredFile, image.file_id) for image in images]
        batch = begin_batch(session, key, files[0], name="DISC")
        for file in files:
            file.batch_id, file.first_set = batch.id, None
        session.flush()
        assert judge_batches(session, key, session.get_one(Case, case.id)) == 1
    return case


def states(site: Site, case: Case) -> list[str]:
    with site.world.database.read() as session:
        wanted = select(StoredFile.state).where(StoredFile.case_id == case.id, col(StoredFile.batch_id).is_not(None))
        return sorted(session.exec(wanted).all())


async def test_the_page_says_who_is_in_it_and_keeps_the_patients_own(practice: Site) -> None:
    case = mixed_case(practice)
    async with practice.as_("dentist") as client:
        page = (await client.get(f"/cases/{case.id}")).text
        for told in ("DISC", "Urs Keller", "Anna Moreau", "Remove all of them"):
            assert told in page
        assert "Files of several patients are left out until you choose whose to keep." in page
        assert page.count("Keep these, remove the others") == 1
        with practice.world.database.read() as session:
            batch = session.exec(select(FileBatch)).one()
        kept = read(await client.get(f"/cases/{case.id}")).form(_keep(page))
        answer = await kept.send(client)
        assert answer.status_code == 200 and "The rest is being checked again" in answer.text
        assert states(practice, case) == ["removed", "stored"]
        foreign = await client.post(f"/cases/{case.id}/files/batches/{batch.id}/keep/1")
        assert foreign.status_code == 404, "it was decided"


async def test_all_of_it_is_removed_and_another_practice_has_no_say(practice: Site) -> None:
    case = mixed_case(practice)
    with practice.world.database.read() as session:
        batch = session.exec(select(FileBatch)).one()
    address = f"/cases/{case.id}/files/batches/{batch.id}/remove"
    async with practice.as_("dentist2") as client:
        assert (await client.post(address)).status_code == 404
    assert states(practice, case) == ["unreadable", "unreadable"]
    async with practice.as_("dentist") as client:
        answer = await read(await client.get(f"/cases/{case.id}")).form(address).send(client)
        assert answer.status_code == 200 and "DISC" not in answer.text
    assert states(practice, case) == ["removed", "removed"]


async def test_a_scheduler_hears_how_many_and_not_who(practice: Site) -> None:
    case = mixed_case(practice)
    async with practice.as_("scheduler") as client:
        page = (await client.get(f"/cases/{case.id}")).text
    assert "Urs Keller" not in page and "Keep these" not in page


def _keep(page: str) -> str:
    start = page.index("/keep/")
    return page[page.rindex('"', 0, start) + 1 : page.index('"', start)]
