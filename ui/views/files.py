"""Files of a case, one row a study: a dentist sees "CBCT, 400 images", not 400 rows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyView:
    """``state`` is where the study is: on its way, being checked, ready, or with a problem (``problem`` is one sentence with
    the way out). ``done`` and ``size`` are bytes; ``preview`` is an image's address or empty, ``url`` that of a document.
    ``bears_writing``: a picture of it may show the patient's name. ``progress`` of the check is files done and in all. ``teeth`` in the reader's notation; ``arrange_url`` is
    empty where it may not be moved or described.
    """

    id: str
    name: str
    detail: str
    images: int
    size: int
    state: Literal["uploading", "paused", "checking", "ready", "problem"]
    done: int = 0
    preview: str = ""
    problem: str = ""
    note: str = ""
    bears_writing: bool = False
    url: str = ""
    remove_url: str = ""
    nonce: str = ""
    description: str = ""
    teeth: tuple[str, ...] = ()
    arrange_url: str = ""
    is_picture: bool = True
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroupView:
    """A heading of the practice's with what stands under it; ``edit_url`` where it may be changed now."""

    id: str
    name: str
    studies: tuple[StudyView, ...] = ()
    edit_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadProblem:
    """A file that could not be taken, and what to do."""

    filename: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedPerson:
    """One of the patients in a mixed folder. ``files`` names some of theirs; ``keep_url`` is empty where they are not the
    case's own."""

    who: str
    files: str
    keep_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedView:
    """A folder or an archive with two patients in it, which was refused as a whole."""

    title: str
    people: tuple[MixedPerson, ...]
    remove_url: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesView:
    """``upload_url`` is the tus endpoint, or empty when nothing may be added now; ``uploads_later``: the case may yet ask for
    more while the page is open. ``arrange_url`` is the API's arrangement of the case, where something may be moved.
    """

    case_id: str
    studies: tuple[StudyView, ...] = ()
    groups: tuple[FileGroupView, ...] = ()
    problems: tuple[UploadProblem, ...] = ()
    mixed: tuple[MixedView, ...] = ()
    upload_url: str = ""
    viewer_url: str = ""
    viewer_later: str = ""
    """Where images are seen, for whoever may: shown once there are some, also in a page that is open by then."""
    arrange_url: str = ""
    series_url: str = ""
    """The page on which images are moved to another series."""
    uploads_later: bool = False
    hint: str = ""
    """What becomes of files that are added now, where that is not plain."""
