"""A client that others wrote, ``dicomweb-client``, against the routes as a server: it finds, fetches, draws and stores."""

import io
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient

from activities.imaging.parser.pool import ParserPool
from infra.access_tokens import make_token
from schemas.token_forms import Scope
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, imaging_desk
from tests.ui_islands.double import served

STUDY, SERIES = "1.2.1", "1.2.1.1"
PROFILE = bytes(range(256)) * 20


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(tmp_path_factory.mktemp("client"), pool) as desk:
        yield desk


@pytest.fixture(scope="module")
def origin(desk: Desk) -> Iterator[str]:
    with served(desk.app) as origin:
        yield origin


@pytest.fixture(scope="module")
def sent() -> list[Any]:
    contents = [
        files.dicom_file(
            study=STUDY, series=SERIES, SOPInstanceUID=f"1.2.1.1.{number}", number=number, frames=2, ICCProfile=PROFILE
        )
        for number in (1, 2, 3)
    ]
    return [pydicom.dcmread(io.BytesIO(content)) for content in contents]


@pytest.fixture(scope="module")
def client(desk: Desk, origin: str, sent: list[Any]) -> DICOMwebClient:
    """With a token to read and to store; what it looks for, it has stored itself."""
    case = desk.open_case()
    with desk.world.database.write() as session:
        scopes = [Scope.IMAGES_READ, Scope.IMAGES_WRITE]
        token = make_token(session, desk.world.person("dentist"), "archive", scopes, 1).token
    client = DICOMwebClient(f"{origin}/cases/{case.id}/dicomweb", headers={"Authorization": f"Bearer {token}"})
    answer = client.store_instances(sent)
    assert len(answer.ReferencedSOPSequence) == 3 and "FailedSOPSequence" not in answer
    return client


def test_it_stores_and_is_told_what_was_not_kept(client: DICOMwebClient, sent: list[Any]) -> None:
    again = client.store_instances([sent[0]])
    assert again.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.1.1.1"
    other = pydicom.dcmread(io.BytesIO(files.dicom_file(study="1.2.9", SOPInstanceUID="1.2.9.1")))
    with pytest.raises(requests.HTTPError) as refused:
        client.store_instances([other], study_instance_uid=STUDY)
    assert refused.value.response is not None and refused.value.response.status_code == 409


def test_it_searches(client: DICOMwebClient) -> None:
    assert [study["0020000D"]["Value"] for study in client.search_for_studies()] == [[STUDY]]
    assert [series["0020000E"]["Value"] for series in client.search_for_series(STUDY)] == [[SERIES]]
    assert len(client.search_for_series(search_filters={"Modality": "CT"})) == 1
    assert len(client.search_for_instances(STUDY, SERIES, limit=2)) == 2
    (found,) = client.search_for_instances(search_filters={"SOPInstanceUID": "1.2.1.1.2"}, fields=["PixelSpacing"])
    assert found["00280030"]["Value"] == [0.25, 0.25]


def test_it_fetches_instances_frames_metadata_and_bulk_data(
    client: DICOMwebClient, origin: str, sent: list[Any]
) -> None:
    assert [each.PixelData for each in client.retrieve_series(STUDY, SERIES)] == [each.PixelData for each in sent]
    assert len(client.retrieve_study(STUDY)) == 3
    assert client.retrieve_instance(STUDY, SERIES, "1.2.1.1.2").PixelData == sent[1].PixelData
    assert len(client.retrieve_study_metadata(STUDY)) == len(client.retrieve_series_metadata(STUDY, SERIES)) == 3
    metadata = client.retrieve_instance_metadata(STUDY, SERIES, "1.2.1.1.2")
    frames = client.retrieve_instance_frames(STUDY, SERIES, "1.2.1.1.2", [2, 1])
    half = len(sent[1].PixelData) // 2
    assert frames == [sent[1].PixelData[half:], sent[1].PixelData[:half]]
    # The client leaves the port out of Host, so that the server cannot name it either.
    address = metadata["00282000"]["BulkDataURI"].replace("http://127.0.0.1", origin)
    assert client.retrieve_bulkdata(address) == [PROFILE]


def test_it_draws(client: DICOMwebClient) -> None:
    place = (STUDY, SERIES, "1.2.1.1.2")
    for image in (
        client.retrieve_instance_rendered(*place, media_types=("image/jpeg",)),
        client.retrieve_instance_frames_rendered(*place, [1], media_types=("image/jpeg",)),
    ):
        assert image.startswith(b"\xff\xd8\xff")
