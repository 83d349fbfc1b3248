"""Putting images into series in a browser without scripts."""

import pytest

from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from tests.ui.reading import PageReader, read
from tests.ui.site import Site
from tests.ui.test_arrangement import with_photos


async def shown(site: Site, row: Case) -> PageReader:
    async with site.as_("dentist") as client:
        return read(await client.get(f"/cases/{row.id}/series"))


async def test_ticked_photographs_are_read_together_and_put_back(practice: Site) -> None:
    row, (first, second, third) = with_photos(practice, 3)
    url = f"/cases/{row.id}/series"
    async with practice.as_("dentist") as client:
        case_page = await client.get(f"/cases/{row.id}")
        assert url in read(case_page).links
        form = read(await client.get(url)).form(url)
        together = await form.send(client, images=[second, third], target=first)
        assert "The images are in their series." in read(together).text
        assert "Photographs, read together · 3 images" in read(together).text
        assert f'data-place="/api/v1{url}"' in together.text
        assert together.text.count("data-image=") == 3
        one = read(await client.get(f"/cases/{row.id}"))
        assert "Photographs, read together" in one.text
        assert [form.action for form in one.forms if form.action.endswith("/move")] == [
            f"/cases/{row.id}/arrangement/{first}/move"
        ]
        alone = await form.send(client, back=second)
        assert "Photographs, read together · 2 images" in read(alone).text
        removed = read(await client.post(f"/cases/{row.id}/files/{first}/remove"))
        assert "Photographs, read together" not in removed.text
    assert second in (await _ids(practice, row))
    assert third not in (await _ids(practice, row)), "what stands there as one thing is removed as one"


async def _ids(site: Site, row: Case) -> list[str]:
    async with site.as_("dentist") as client:
        page = read(await client.get(f"/cases/{row.id}"))
    return [form.action.split("/")[-2] for form in page.forms if form.action.endswith("/move")]


async def test_photographs_become_a_series_of_their_own(practice: Site) -> None:
    row, (first, second, third) = with_photos(practice, 3)
    url = f"/cases/{row.id}/series"
    async with practice.as_("dentist") as client:
        form = read(await client.get(url)).form(url)
        await form.send(client, images=[first, second, third], target=second)
        await form.send(client, images=[first, third], target="apart")
    page = await shown(practice, row)
    assert "Photographs, read together · 2 images" in page.text


@pytest.mark.parametrize("fields", [{}, {"target": "apart"}, {"images": ["x"], "target": ""}])
async def test_a_move_of_nothing_says_what_is_missing(practice: Site, fields: dict[str, str | list[str]]) -> None:
    row, _ = with_photos(practice, 2)
    url = f"/cases/{row.id}/series"
    async with practice.as_("dentist") as client:
        answer = await read(await client.get(url)).form(url).send(client, **fields)
        assert answer.status_code == 422
        assert "Tick the images first" in read(answer).text


async def test_a_refused_move_keeps_what_was_ticked(practice: Site) -> None:
    row, (first, second) = with_photos(practice, 2)
    url = f"/cases/{row.id}/series"
    async with practice.as_("dentist") as client:
        form = read(await client.get(url)).form(url)
        with practice.world.database.write() as session:
            for file_id in (first, second):
                session.get_one(StoredFile, file_id).first_set = 1
            session.get_one(Case, row.id).state = State.UNASSIGNED
        answer = await form.send(client, images=[first], target=second)
        assert answer.status_code == 409
        assert "This file was submitted" in read(answer).text
