"""Finding a reader for a case that has none."""

from temporalio import activity

from activities.records.readers import choose_reader
from infra.database import Database, now
from schemas.messages import FindReaderInput, FoundReader
from schemas.tables.case import Case


class AssignmentActivities:
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="assignment.find_reader")
    def find_reader(self, wanted: FindReaderInput) -> FoundReader:
        """The reader to whom the case is offered; none when nobody is eligible and the scheduler has to act."""
        with self._database.read() as session:
            row = session.get_one(Case, wanted.case_id)
            return FoundReader(radiologist_id=choose_reader(session, row, wanted.passed_over, now(), wanted.preferred))
