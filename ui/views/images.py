"""The images alone, in a window of their own: a reader's second screen, or a patient's page."""

from dataclasses import dataclass

from ui.views.files import StudyView


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesView:
    """``root`` is the DICOMweb service, ``studies`` the study uids in the order in which they are shown.

    ``case_id`` is empty for a patient, who has no marks or key images beside the images; ``files_url`` lists a patient's
    photographs. ``series_url`` lists the images in the order in which they are read. ``advanced_url`` is the advanced viewer's page.
    """

    title: str
    about: str
    back_url: str
    back_word: str
    root: str
    studies: tuple[str, ...]
    series: tuple[StudyView, ...]
    case_id: str = ""
    files_url: str = ""
    series_url: str = ""
    first: str = ""
    """The series that is opened first: its UID, or the id of one that the practice made."""
    annotations_url: str = ""
    editable: bool = False
    advanced_url: str = ""
