"""A case is told of files that wait although the browser's last word was lost, and is not told again and again."""

from datetime import timedelta

from sqlmodel import select

from activities.imaging.unchecked import AGAIN_AFTER, LEFT_AFTER, tell_unchecked
from infra.database import now
from schemas.lifecycle import State
from schemas.messages import FactKind
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.tables.wires import OutboxItem
from tests.activities.imaging import files
from tests.activities.imaging.conftest import Clinic


def told(clinic: Clinic, case: Case) -> list[str]:
    with clinic.world.database.read() as session:
        kinds = (FactKind.FILES_SETTLED, FactKind.LATE_FILES_SETTLED)
        rows = session.exec(select(OutboxItem).where(OutboxItem.case_id == case.id)).all()
        return [row.kind for row in rows if row.kind in kinds]


def set_back(clinic: Clinic, case: Case, span: timedelta) -> None:
    with clinic.world.database.write() as session:
        for table in (StoredFile, OutboxItem):
            for row in session.exec(select(table).where(table.case_id == case.id)).all():
                row.created_at = now() - span


def test_a_case_is_told_once_of_files_whose_word_was_lost(clinic: Clinic) -> None:
    case = clinic.open_case()
    clinic.put(case, files.dicom_file())
    tell_unchecked(clinic.world.database)
    assert told(clinic, case) == [], "the browser's own word may be on its way"
    set_back(clinic, case, LEFT_AFTER)
    tell_unchecked(clinic.world.database)
    tell_unchecked(clinic.world.database)
    assert told(clinic, case) == ["files_settled"]
    set_back(clinic, case, AGAIN_AFTER)
    tell_unchecked(clinic.world.database)
    assert told(clinic, case) == ["files_settled"] * 2, "the check may have been given up"
    clinic.imaging.ingest(case.id)
    set_back(clinic, case, AGAIN_AFTER)
    assert tell_unchecked(clinic.world.database) == 0


def test_a_case_that_is_processed_or_over_is_left_alone(clinic: Clinic) -> None:
    for state, is_open in ((State.PROCESSING, True), (State.CANCELLED, False)):
        case = clinic.open_case()
        clinic.put(case, files.dicom_file())
        set_back(clinic, case, LEFT_AFTER)
        with clinic.world.database.write() as session:
            row = session.get_one(Case, case.id)
            row.state, row.is_open = state, is_open
        tell_unchecked(clinic.world.database)
        assert told(clinic, case) == []
