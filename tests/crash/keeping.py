"""What a campaign's cases and records keep, down to the bytes in the store."""

from collections import Counter
from hashlib import sha256
from pathlib import Path

from sqlmodel import Session, select

from infra.blobs.local import LocalBlobStore
from infra.keystore import KeyStore
from infra.stored_files import open_stored
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.wires import BlobRemoval
from tests.crash.findings import Findings
from tests.crash.ledger import LifeStory


class Keeping:
    def __init__(self, folder: Path, keys: KeyStore, found: Findings) -> None:
        self._folder, self._keys, self._found = folder, keys, found
        self._blobs = LocalBlobStore(folder)

    def check_files(self, session: Session, story: LifeStory) -> None:
        """Every acknowledged upload is one file, with the bytes that were sent; every entry of an archive is, too."""
        rows = session.exec(select(StoredFile).where(StoredFile.case_id == story.case_id)).all()
        files = [file for file in rows if file.state != "removed"]
        uploads = session.exec(select(Upload.state).where(Upload.case_id == story.case_id)).all()
        self._found.files += len(files)
        for what, sent, found in (
            ("files", story.files, files),
            ("archives", story.archives, [file for file in rows if file.state == "removed"]),
        ):
            hashes = sorted(sha256(content).hexdigest() for content in sent)
            self._found.expect(
                sorted(file.sha256 for file in found) == hashes,
                f"the {what} of {story.case_id} are not those that were sent",
            )
        self._found.expect(uploads == ["complete"] * story.uploads, f"the uploads of {story.case_id} are {uploads}")
        if story.is_read:
            is_whole = all((file.state, file.first_set is not None) == ("ready", True) for file in files)
            self._found.expect(is_whole, f"files of {story.case_id} were forgotten: {[file.state for file in files]}")
        secret = self._keys.of_scope(story.case_id).secret
        for file in files:
            with open_stored(self._blobs, file, secret) as reader:
                stored = reader.info().sha256
            self._found.expect(stored == file.sha256, f"the bytes of {file.id} are not those that were sent")

    def check_documents(self, session: Session, story: LifeStory) -> None:
        """Every document of the record is there once, checked, with the bytes that were sent."""
        rows = session.exec(select(PatientDocument).where(PatientDocument.patient_id == story.patient_id)).all()
        secret = self._keys.of_scope(story.patient_id).secret
        found = []
        for row in rows:
            with self._blobs.reader(row.id, secret) as reader:
                found.append((row.state, row.sha256 == reader.info().sha256, row.sha256))
        sent = [("ready", True, sha256(content).hexdigest()) for content in story.documents]
        self._found.documents += len(rows)
        self._found.expect(found == sent, f"the documents of {story.patient_id} are {found}")

    def check_blobs(self, session: Session) -> None:
        """What lies in the store is what the record knows, or has noted as one to be deleted: what an archive came in, and
        what an attempt to open it left that was killed."""
        there = Counter(path.name for path in self._folder.rglob("*") if path.is_file())
        files = session.exec(select(StoredFile.blob_id).where(StoredFile.state != "removed").distinct()).all()
        documents = session.exec(select(PatientDocument.id)).all()
        known = Counter(f"{blob_id}.blob" for blob_id in (*files, *documents))
        noted = set(session.exec(select(BlobRemoval.blob_id)).all())
        left = Counter(name for name in there if name.partition(".")[0] not in noted)
        self._found.expect(left == known, f"the store has {left - known} too many and {known - left} too few")
