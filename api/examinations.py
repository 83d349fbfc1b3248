"""The examination that a blank report begins with: read from the images of the case."""

from sqlmodel import Session, col, func, select

from api.imaging.access import images_of
from api.standing import CaseAccess
from infra.sealing import column_aad, open_json
from schemas.examination_facts import examination_of
from schemas.report_parts import Examination
from schemas.tables.imaging import Instance, StoredFile


def examination_of_case(session: Session, access: CaseAccess) -> Examination:
    """From the middle image of the largest series; empty when the case has no DICOM image."""
    images_there = images_of(access)
    largest = session.exec(
        images_there.narrow(
            select(Instance.series_id, func.count())
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(Instance.case_id == access.row.id)
        )
        .group_by(col(Instance.series_id))
        .order_by(func.count().desc(), col(Instance.series_id))
        .limit(1)
    ).first()
    if largest is None:
        return Examination()
    series_id, images = largest
    instance = session.exec(
        images_there.narrow(
            select(Instance)
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(Instance.series_id == series_id)
        )
        .order_by(col(Instance.number), col(Instance.id))
        .offset(images // 2)
        .limit(1)
    ).one()
    metadata = open_json(access.key, instance.metadata_json, column_aad("instance", instance.id, "metadata_json"))
    return examination_of(metadata if isinstance(metadata, dict) else {}, images)
