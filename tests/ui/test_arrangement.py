"""Putting a case's files in order in a browser without scripts."""

import re

from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from tests.ui.reading import read
from tests.ui.site import Site


def with_photos(site: Site, number: int) -> tuple[Case, list[str]]:
    """A draft with checked photographs; their ids in the order of arrival."""
    row = site.world.add_case()
    ids = [site.world.add_file(row).id for _ in range(number)]
    with site.world.database.write() as session:
        for file_id in ids:
            file = session.get_one(StoredFile, file_id)
            file.kind, file.state = "photo", "ready"
    return row, sorted(ids, key=lambda file_id: _arrived(site, file_id))


def _arrived(site: Site, file_id: str) -> tuple[object, str]:
    with site.world.database.read() as session:
        return session.get_one(StoredFile, file_id).created_at, file_id


async def order_of(site: Site, row: Case) -> list[str]:
    """Ids of the items of the page that may be moved, from top to bottom."""
    async with site.as_("dentist") as client:
        page = read(await client.get(f"/cases/{row.id}"))
    moves = [form.action for form in page.forms if form.action.endswith("/move")]
    return [action.split("/")[-2] for action in moves]


async def test_an_item_goes_up_and_down_and_stops_at_the_ends(practice: Site) -> None:
    row, (first, second, third) = with_photos(practice, 3)
    async with practice.as_("dentist") as client:

        async def go(item_id: str, direction: str) -> list[str]:
            answer = await client.post(f"/cases/{row.id}/arrangement/{item_id}/move", data={"direction": direction})
            assert answer.url.path == f"/cases/{row.id}"
            return await order_of(practice, row)

        page = (await client.get(f"/cases/{row.id}")).text
        assert f'data-arrange="/api/v1/cases/{row.id}/arrangement"' in page, "what is dragged has an address"
        assert page.count("data-item=") == 3
        assert await go(third, "up") == [first, third, second]
        assert await go(third, "up") == [third, first, second]
        assert await go(third, "up") == [third, first, second]
        assert await go(first, "down") == [third, second, first]
        assert await go(first, "down") == [third, second, first]


async def test_words_teeth_and_a_new_heading_are_given_on_one_page(practice: Site) -> None:
    row, (first, second) = with_photos(practice, 2)
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}/arrangement/{second}")).form(
            f"/cases/{row.id}/arrangement/{second}"
        )
        saved = read(
            await form.send(
                client, title="Upper right", description="Swollen", teeth=["16"], new_group="Before treatment"
            )
        )
        assert "It is saved." in saved.text
        for shown in ("Upper right", "Swollen", "16", "Before treatment"):
            assert shown in saved.text
        assert saved.text.index("Before treatment") < saved.text.index("Upper right")
        again = read(await client.get(f"/cases/{row.id}/arrangement/{second}")).form(
            f"/cases/{row.id}/arrangement/{second}"
        )
        (group_id,) = again.fields["group"]
        assert (again.fields["title"], group_id.startswith("grp_")) == (["Upper right"], True)
        heading = read(await client.get(f"/cases/{row.id}/groups/{group_id}")).form(
            f"/cases/{row.id}/groups/{group_id}"
        )
        renamed = read(await heading.send(client, name="At the first visit"))
        assert "At the first visit" in renamed.text
        assert "Before treatment" not in renamed.text
        removed = read(await client.post(f"/cases/{row.id}/groups/{group_id}/remove"))
        assert "At the first visit" not in removed.text
        assert "Upper right" in removed.text
    assert sorted(await order_of(practice, row)) == sorted([first, second])


async def test_a_heading_over_what_was_submitted_is_shown_and_not_edited(practice: Site) -> None:
    row, (file_id, _) = with_photos(practice, 2)
    async with practice.as_("dentist") as client:
        url = f"/cases/{row.id}/arrangement/{file_id}"
        page = (await read(await client.get(url)).form(url).send(client, new_group="Before treatment")).text
        (address,) = set(re.findall(rf"/cases/{row.id}/groups/grp_\w+", page))
        with practice.world.database.write() as session:
            session.get_one(StoredFile, file_id).first_set = 1
            session.get_one(Case, row.id).state = State.RELEASED
        page = (await client.get(f"/cases/{row.id}")).text
        assert "Before treatment" in page
        assert address not in page
        assert (await client.post(f"{address}/remove")).status_code == 409


async def test_what_is_wrong_comes_back_as_it_was_typed(practice: Site) -> None:
    row, (file_id,) = with_photos(practice, 1)
    url = f"/cases/{row.id}/arrangement/{file_id}"
    async with practice.as_("dentist") as client:
        form = read(await client.get(url)).form(url)
        answer = await form.send(client, title="x" * 300, description="Kept words")
        assert answer.status_code == 422
        page = read(answer)
        assert page.form(url).fields["description"] == ["Kept words"]
        assert "1 thing needs another look" in page.text
        assert (await client.get(f"/cases/{row.id}/arrangement/fil_unknown")).status_code == 404
