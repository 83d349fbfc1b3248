"""Checking the files of a case: every stored file is examined once, recorded, and becomes ready or unreadable.

Idempotent and safe to kill: a file is examined as often as it takes, and recorded in one transaction that looks at its
state first.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, func, select
from temporalio import activity

from activities.heartbeats import Told, beating
from activities.imaging.archives import ArchiveOpener
from activities.imaging.batches import is_batch_open, judge_batches
from activities.imaging.frames import ranges_of_frame
from activities.imaging.identity import case_identity
from activities.imaging.parser.pool import ParserPool
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.results import Examined
from activities.imaging.previews import INSTANCE, middle_instance, store_preview
from activities.imaging.records import CaseRecorder, Finding
from activities.imaging.verdict import judge
from infra.blobs.store import BlobDamaged, BlobMissing, BlobStore
from infra.database import Database, now
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.removals import remove
from infra.stored_files import let_go_of, open_stored
from infra.uploads.room import NeedRoom, endless
from schemas.files import FileKind, FileState
from schemas.messages import ProcessInput, ProcessOutcome
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Preview, Series, StoredFile

_log: Final = logging.getLogger(__name__)
_BATCH: Final = 100
_BATCH_SECONDS: Final = 0.5

OnProgress = Callable[[str, int, int], None]
"""(case id, files checked, files in all), after each batch."""


def _no_progress(case_id: str, done: int, total: int) -> None:
    """Nobody listens."""


def _nobody(done: int, total: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class _Job:
    case: Case
    key: DataKey
    waiting: Sequence[StoredFile]
    total: int


class ImagingActivities:
    """Activities of the imaging queue. Plain methods beside them do the work, for whoever is no activity."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        keys: KeyStore,
        pool: ParserPool,
        *,
        on_progress: OnProgress = _no_progress,
        need_room: NeedRoom = endless,
    ) -> None:
        """``need_room`` is asked for what an archive unpacks to."""
        self._database = database
        self._blobs = blobs
        self._keys = keys
        self._pool = pool
        self._archives = ArchiveOpener(database, blobs, pool, need_room)
        self._on_progress = on_progress

    @activity.defn(name="imaging.ingest")
    def ingest_activity(self, wanted: ProcessInput) -> None:
        with beating() as told:
            self.ingest(wanted.case_id, told)

    @activity.defn(name="imaging.process")
    def process_activity(self, wanted: ProcessInput) -> ProcessOutcome:
        with beating() as told:
            self.ingest(wanted.case_id, told)
        return self.verdict(wanted.case_id, wanted.image_set, beyond=wanted.beyond)

    def ingest(self, case_id: str, told: Told = _nobody) -> int:
        """Checks every file of the case that waits, and what is in its archives; returns how many were checked. Blocking.

        Raises StorageFailed when the blobs cannot be reached; what was checked until then stays.
        """
        checked = 0
        while True:
            job = self._job(case_id)
            was_opened = self._check(job, told)
            checked += len(job.waiting)
            if not was_opened:
                break
        self._judge_batches(job)
        self._make_previews(job)
        return checked

    def _check(self, job: _Job, told: Told) -> bool:
        """Whether archives were opened, so that there is more to check."""
        done = job.total - len(job.waiting)
        archives: list[Finding] = []
        for findings in self._examined(job):
            archives += [finding for finding in findings if finding.examined.members]
            self._record(job, [finding for finding in findings if not finding.examined.members])
            done += len(findings)
            told(done, job.total)
            self._on_progress(job.case.id, done, job.total)
        files = {file.id: file for file in job.waiting}
        opened = [
            self._archives.open(files[found.file_id], job.key, found.examined.members, told) for found in archives
        ]
        return any(opened)

    def verdict(self, case_id: str, image_set: int, *, beyond: int = 0) -> ProcessOutcome:
        """How many images of the set can be read, and whether they are the case's patient's. Writes the finding.

        ``beyond`` as in ``ProcessInput``.
        """
        with self._database.write() as session:
            case = session.get_one(Case, case_id)
            return judge(session, self._keys, case, image_set, at=now(), beyond=beyond)

    def _job(self, case_id: str) -> _Job:
        with self._database.read() as session:
            case = session.get_one(Case, case_id)
            waiting = session.exec(
                select(StoredFile)
                .where(StoredFile.case_id == case_id, StoredFile.state == FileState.STORED)
                .order_by(col(StoredFile.created_at), col(StoredFile.id))
            ).all()
            total = session.exec(
                select(func.count()).where(StoredFile.case_id == case_id, StoredFile.state != FileState.REMOVED)
            ).one()
        return _Job(case, self._keys.data_key(case.key_id), waiting, total)

    def _examined(self, job: _Job) -> Iterator[list[Finding]]:
        """Findings in batches, as the pool's children deliver them."""
        with ThreadPoolExecutor(self._pool.size, thread_name_prefix="examine") as threads:
            todo = iter(job.waiting)
            running: set[Future[Finding]] = set()
            batch: list[Finding] = []
            began = time.monotonic()
            try:
                while True:
                    for file in todo:
                        running.add(threads.submit(self._examine, job, file))
                        if len(running) >= 2 * self._pool.size:
                            break
                    if not running:
                        break
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    batch.extend(future.result() for future in finished)
                    if len(batch) >= _BATCH or (batch and time.monotonic() - began > _BATCH_SECONDS):
                        yield batch
                        batch, began = [], time.monotonic()
            finally:
                for future in running:
                    future.cancel()
            if batch:
                yield batch

    def _examine(self, job: _Job, file: StoredFile) -> Finding:
        try:
            with open_stored(self._blobs, file, job.key.secret) as reader:
                examined = self._pool.examine(reader)
            if examined.kind == FileKind.ARCHIVE and file.parent_id is not None:
                examined = Examined(kind=FileKind.ARCHIVE, problem=ProblemCode.ARCHIVE_NESTED)
            return Finding(file.id, examined)
        except (BlobDamaged, BlobMissing):
            _log.error("a stored file cannot be opened", extra={"file_id": file.id, "case_id": job.case.id})
            return Finding(file.id, Examined(kind=FileKind.OTHER, problem=ProblemCode.BLOB_DAMAGED))

    def _record(self, job: _Job, findings: list[Finding]) -> None:
        with self._database.write() as session:
            # The case's row is locked first, so that two of these never insert the same study.
            case = session.exec(select(Case).where(Case.id == job.case.id).with_for_update()).one()
            patient = case_identity(session, self._keys, case)
            again = CaseRecorder(session, case, job.key, patient, now()).record(findings)
            session.flush()
            spare = let_go_of(session, again)
        remove(self._database, self._blobs, spare)

    def _judge_batches(self, job: _Job) -> None:
        """Folders and archives with two patients in them."""
        with self._database.read() as session:
            if not is_batch_open(session, job.case.id):
                return
        with self._database.write() as session:
            case = session.exec(select(Case).where(Case.id == job.case.id).with_for_update()).one()
            refused = judge_batches(session, job.key, case)
        if refused:
            _log.info("a batch with two patients was refused", extra={"case_id": job.case.id})
            self._on_progress(job.case.id, job.total, job.total)

    def _make_previews(self, job: _Job) -> None:
        """Of the image in the middle of each series that has none yet; of others they are made when they are asked for."""
        with self._database.read() as session:
            lacking = [
                (session.get_one(StoredFile, middle[0].file_id), *middle)
                for series_id in _series_without_preview(session, job.case.id)
                if (middle := middle_instance(session, series_id)) is not None
            ]
        for file, instance, frame in lacking:
            try:
                with open_stored(self._blobs, file, job.key.secret) as reader:
                    picture = self._pool.render(reader, frame, ranges_of_frame(instance, frame), max_side=256)
            except (FileProblem, BlobDamaged, BlobMissing):
                continue  # a preview is a convenience: the series is shown without one
            image, case_id = picture.image, job.case.id
            store_preview(self._database, job.key, case_id, subject_id=instance.id, kind=INSTANCE, image=image)


def _series_without_preview(session: Session, case_id: str) -> Sequence[str]:
    """Those none of whose images has one."""
    made = (
        select(Instance.series_id)
        .join(Preview, col(Preview.subject_id) == col(Instance.id))
        .where(Preview.case_id == case_id, Preview.kind == INSTANCE)
    )
    return session.exec(select(Series.id).where(Series.case_id == case_id, col(Series.id).not_in(made))).all()
