"""A case's page says which images may show a name in their pixels."""

import pytest

from schemas.tables.imaging import Instance
from tests.checked_images import add_checked_image
from tests.ui.reading import read
from tests.ui.site import Site


@pytest.mark.parametrize(("burned_in", "is_said"), [("no", False), ("possible", True), ("yes", True)])
async def test_a_study_whose_pictures_may_show_a_name_says_so(practice: Site, burned_in: str, is_said: bool) -> None:
    case = practice.world.add_case(practice.world.add_patient())
    image = add_checked_image(practice.world, case)
    with practice.world.database.write() as session:
        session.get_one(Instance, image.id).burned_in = burned_in
    async with practice.as_("dentist") as client:
        answer = await client.get(f"/cases/{case.id}")
    assert answer.status_code == 200
    text = read(answer).text
    assert ("May show a name in the picture" in text) is is_said
