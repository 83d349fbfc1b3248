"""Writing what was found in a file: study, series and instance rows, each once, sealed under the case's key."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue
from sqlmodel import Session, col, select

from activities.imaging.file_facts import keep_facts
from activities.imaging.identity import identity_of_facts
from activities.imaging.parser.problems import SENTENCES, ProblemCode
from activities.imaging.parser.results import DicomFacts, Examined, metadata_object
from activities.imaging.previews import PHOTO, keep_preview
from infra.keys import DataKey
from infra.sealing import column_aad, seal, seal_json
from schemas.files import FileState
from schemas.identity import IdentityOutcome, PersonIdentity, compare
from schemas.ids import new_id
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study

STUDY_TAGS: Final = (
    "00080005",
    "00080020",
    "00080030",
    "00080050",
    "00080090",
    "00080201",
    "00081030",
    "00100010",
    "00100020",
    "00100021",
    "00100030",
    "00100040",
    "0020000D",
    "00200010",
)
"""Attributes of the study level that QIDO-RS returns (PS3.18 table 10.6.3-3)."""
SERIES_TAGS: Final = (
    "00080021",
    "00080031",
    "00080060",
    "0008103E",
    "00180015",
    "0020000E",
    "00200011",
    "00200060",
    "00400244",
    "00400245",
)
"""Attributes of the series level (PS3.18 table 10.6.3-4), with laterality and body part."""
Level: TypeAlias = Literal["study", "series"]
_TAGS: Final[dict[Level, tuple[str, ...]]] = {"study": STUDY_TAGS, "series": SERIES_TAGS}


@dataclass(frozen=True)
class Finding:
    """What the examination of one file said."""

    file_id: str
    examined: Examined


class CaseRecorder:
    """Writes the findings of one case. Everything is read and written in the caller's transaction."""

    def __init__(self, session: Session, case: Case, key: DataKey, patient: PersonIdentity, at: datetime) -> None:
        self._session = session
        self._case = case
        self._key = key
        self._patient = patient
        self._at = at
        self._studies: dict[str, Study] = {}
        self._series_of: dict[tuple[str, str], Series] = {}
        self._outcomes: dict[PersonIdentity, IdentityOutcome] = {}
        self._there: dict[tuple[str, str], str] = {}
        """The file of each instance that is known, by series and SOP Instance UID."""

    def record(self, findings: Iterable[Finding]) -> list[StoredFile]:
        """Writes them; returns the files that were already there, which are removed.

        A file that somebody recorded or removed meanwhile is left as it is: recording twice changes nothing.
        """
        by_id = {finding.file_id: finding.examined for finding in findings}
        waiting = self._session.exec(
            select(StoredFile)
            .where(col(StoredFile.id).in_(by_id), StoredFile.state == FileState.STORED)
            .order_by(col(StoredFile.id))
            .with_for_update()
        ).all()
        self._find_instances({found.dicom.sop_uid for found in by_id.values() if found.dicom is not None})
        return [file for file in waiting if self._record_one(file, by_id[file.id])]

    def _find_instances(self, sop_uids: Collection[str]) -> None:
        if sop_uids:
            rows = self._session.exec(
                select(Instance.series_id, Instance.sop_uid, Instance.file_id).where(
                    Instance.case_id == self._case.id, col(Instance.sop_uid).in_(sop_uids)
                )
            )
            self._there |= {(series_id, sop_uid): file_id for series_id, sop_uid, file_id in rows}

    def _record_one(self, file: StoredFile, found: Examined) -> bool:
        file.kind = found.kind
        file.checked_at = self._at
        if found.problem is not None:
            _set_problem(file, found.problem)
            return False
        keep_facts(self._key, file, found)
        if found.dicom is not None:
            return self._record_instance(file, found.dicom, found.metadata)
        if found.preview:
            keep_preview(self._session, self._key, self._case.id, subject_id=file.id, kind=PHOTO, image=found.preview)
        file.state = FileState.READY
        return False

    def _record_instance(self, file: StoredFile, facts: DicomFacts, metadata: bytes) -> bool:
        series = self._series(self._study(facts, metadata), facts, metadata)
        there = self._there.get((series.id, facts.sop_uid))
        if there is not None:
            return self._meet_again(file, there)
        self._there[series.id, facts.sop_uid] = file.id
        instance_id = new_id("sty")
        self._session.add(
            Instance(
                id=instance_id,
                series_id=series.id,
                case_id=self._case.id,
                file_id=file.id,
                sop_uid=facts.sop_uid,
                sop_class_uid=facts.sop_class_uid,
                transfer_syntax_uid=facts.transfer_syntax_uid,
                number=facts.number,
                frames=facts.frames,
                rows=facts.rows or None,
                columns=facts.columns or None,
                # Frames that browsers cannot show are served decoded: their place in the file is of no use.
                frame_index=json.dumps([] if facts.transcoded else facts.ranges, separators=(",", ":")),
                bulk_index=json.dumps(facts.bulk, separators=(",", ":")),
                metadata_json=seal(self._key, metadata, column_aad("instance", instance_id, "metadata_json")),
                burned_in=facts.burned_in,
                identity=self._identity(identity_of_facts(facts.identity)),
            )
        )
        file.state = FileState.READY
        return False

    def _identity(self, person: PersonIdentity) -> IdentityOutcome:
        if person not in self._outcomes:
            self._outcomes[person] = compare(self._patient, person).outcome
        return self._outcomes[person]

    def _meet_again(self, file: StoredFile, first_id: str) -> bool:
        """The same SOP instance once more. The same bytes are kept once; other bytes under one UID are for a person."""
        first = self._session.get_one(StoredFile, first_id)
        if first.sha256 == file.sha256:
            _set_problem(file, ProblemCode.DUPLICATE)
            file.state = FileState.REMOVED
            return True
        _set_problem(file, ProblemCode.CONFLICTING_INSTANCE)
        return False

    def _study(self, facts: DicomFacts, metadata: bytes) -> Study:
        known = self._studies.get(facts.study_uid)
        if known is not None:
            return known
        study = self._session.exec(
            select(Study).where(Study.case_id == self._case.id, Study.study_uid == facts.study_uid)
        ).one_or_none()
        if study is None:
            study_id = new_id("sty")
            study = Study(
                id=study_id,
                case_id=self._case.id,
                practice_id=self._case.practice_id,
                study_uid=facts.study_uid,
                attributes=sealed_attributes(self._key, "study", study_id, metadata_object(metadata)),
                created_at=self._at,
            )
            self._session.add(study)
            self._session.flush()
        self._studies[facts.study_uid] = study
        return study

    def _series(self, study: Study, facts: DicomFacts, metadata: bytes) -> Series:
        known = self._series_of.get((study.id, facts.series_uid))
        if known is not None:
            return known
        series = self._session.exec(
            select(Series).where(Series.study_id == study.id, Series.series_uid == facts.series_uid)
        ).one_or_none()
        if series is None:
            series_id = new_id("sty")
            series = Series(
                id=series_id,
                study_id=study.id,
                case_id=self._case.id,
                series_uid=facts.series_uid,
                modality=facts.modality,
                number=facts.series_number,
                attributes=sealed_attributes(self._key, "series", series_id, metadata_object(metadata)),
                created_at=self._at,
            )
            self._session.add(series)
            self._session.flush()
        self._series_of[study.id, facts.series_uid] = series
        return series


def sealed_attributes(key: DataKey, table: Level, row_id: str, metadata: dict[str, JsonValue]) -> bytes:
    """The column ``attributes`` of a study's or a series' row, of what one of its instances says."""
    kept: JsonValue = {tag: metadata[tag] for tag in _TAGS[table] if tag in metadata}
    return seal_json(key, kept, column_aad(table, row_id, "attributes"))


def _set_problem(file: StoredFile, code: ProblemCode) -> None:
    file.state = FileState.UNREADABLE
    file.problem_code = code.value
    file.problem = SENTENCES[code]
