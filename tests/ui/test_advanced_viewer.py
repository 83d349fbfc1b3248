"""The advanced viewer's page, its configuration, and the DICOMweb service of one case alone that it is given."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.imaging.parser.pool import ParserPool
from schemas.tables.case import Case
from tests.api.imaging_app import Desk
from tests.ui.advanced_viewer import viewer_desk
from tests.ui_islands import synthetic
from ui.ohif_files import ROOT


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with viewer_desk(tmp_path, pool) as opened:
        yield opened


@pytest.fixture
def case(desk: Desk) -> Case:
    return desk.open_case()


@pytest.fixture
async def study(desk: Desk, case: Case) -> str:
    """UID of a study of the case."""
    ds = synthetic.panoramic().instances[0]
    await desk.upload(case, synthetic.part10(ds))
    desk.imaging.ingest(case.id)
    return str(ds.StudyInstanceUID)


async def test_the_cases_own_service_has_no_other_case(desk: Desk, case: Case, study: str) -> None:
    other = desk.open_case()
    async with desk.client("dentist") as client:
        mine: list[dict[str, Any]] = (await client.get(f"/cases/{case.id}/dicomweb/studies")).json()
        assert [study["0020000D"]["Value"] for study in mine] == [[study]]
        assert "00100020" not in mine[0], "a viewer that has the number asks for it in an address"
        assert (await client.get(f"/cases/{other.id}/dicomweb/studies")).json() == []
        elsewhere = await client.get(f"/cases/{other.id}/dicomweb/studies/{study}/metadata")
        assert elsewhere.status_code == 404


async def test_the_page_has_its_policy_and_no_server_is_chosen_by_its_address(
    desk: Desk, case: Case, study: str
) -> None:
    async with desk.client("dentist") as client:
        begun = await client.get(f"/cases/{case.id}/advanced")
        assert begun.headers["location"] == f"/cases/{case.id}/advanced/viewer?StudyInstanceUIDs={study}"
        page = await client.get(f"{begun.headers['location']}&configUrl=https://elsewhere.test/c.js")
        policy = page.headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script>" not in page.text
        text = (await client.get(f"/cases/{case.id}/advanced/config.js")).text
        config = json.loads(text.removeprefix("window.config = ").removesuffix(";\n"))
        assert config["dangerouslyUseDynamicConfig"] == {"enabled": False}
        source = config["dataSources"][0]["configuration"]
        assert {source[key] for key in ("qidoRoot", "wadoRoot", "wadoUriRoot")} == {f"/cases/{case.id}/dicomweb"}


async def test_only_the_decoders_may_make_functions_of_strings(desk: Desk) -> None:
    names = sorted(path.name for path in ROOT.glob("*.bundle.*.js"))
    async with desk.client("dentist") as client:
        policies = {name: (await client.get(f"/ohif/{name}")).headers["content-security-policy"] for name in names}
        lax = [name for name, policy in policies.items() if "'unsafe-eval'" in policy]
        assert [name.split(".")[0] for name in lax] == ["8097"]
        assert (await client.get("/ohif/index.html")).status_code == 404, "the page is a case's"
        assert (await client.get("/ohif/../app.py")).status_code == 404
        packed = await client.get(f"/ohif/{names[0]}", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "immutable" in packed.headers["cache-control"]
