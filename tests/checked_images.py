"""Images of a case as processing leaves them, without a file behind them: what they say of their patient is what counts."""

from datetime import UTC, datetime

from pydantic import JsonValue

from activities.imaging.image_sets import freeze_image_set
from activities.records.projection import project, state_of
from infra.sealing import column_aad, seal_json
from schemas.ids import new_id
from schemas.lifecycle import State
from schemas.state import Identity, IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study
from tests.world import World


def add_checked_image(
    world: World,
    case: Case,
    *,
    name: str = "Moreau^Anna",
    born: str = "19800504",
    sex: str = "F",
    number: str = "",
    issuer: str = "",
) -> Instance:
    """One more image, ready and in the case's image set."""
    key = world.keys.data_key(case.key_id)
    file = world.add_file(case)
    study_id, series_id, instance_id = (new_id("sty") for _ in range(3))
    metadata: JsonValue = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]},
        "00100020": {"vr": "LO", "Value": [number]},
        "00100021": {"vr": "LO", "Value": [issuer]},
        "00100030": {"vr": "DA", "Value": [born]},
        "00100040": {"vr": "CS", "Value": [sex]},
    }
    with world.database.write() as session:
        stored = session.get_one(StoredFile, file.id)
        row = session.get_one(Case, case.id)
        row.image_set = row.verified_set = max(row.image_set, 1)
        stored.kind, stored.state, stored.first_set = "dicom", "ready", row.image_set
        session.add(
            Study(
                id=study_id,
                case_id=case.id,
                practice_id=case.practice_id,
                study_uid=f"2.25.{int(study_id[4:], 16)}",
                attributes=seal_json(key, {}, column_aad("study", study_id, "attributes")),
                created_at=datetime.now(UTC),
            )
        )
        session.flush()
        session.add(
            Series(
                id=series_id,
                study_id=study_id,
                case_id=case.id,
                series_uid=f"2.25.{int(series_id[4:], 16)}",
                modality="CT",
                attributes=seal_json(key, {}, column_aad("series", series_id, "attributes")),
                created_at=datetime.now(UTC),
            )
        )
        session.flush()
        instance = Instance(
            id=instance_id,
            series_id=series_id,
            case_id=case.id,
            file_id=file.id,
            sop_uid=f"2.25.{int(instance_id[4:], 16)}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            frame_index="",
            metadata_json=seal_json(key, metadata, column_aad("instance", instance_id, "metadata_json")),
            identity="exact",
        )
        session.add(instance)
    return instance


def put_through(
    world: World, case: Case, state: State = State.IN_REVIEW, standing: IdentityStanding = IdentityStanding.MATCHED
) -> None:
    """Leaves the projection in a state after processing, as the workflow would."""
    with world.database.write() as session:
        row = session.get_one(Case, case.id)
        freeze_image_set(session, case.id, 1)
        reached = state_of(row).model_copy(
            update={"state": state, "image_set": 1, "identity": Identity(standing=standing)}
        )
        project(row, reached, datetime.now(UTC))
