"""What is known of a file that was sent: how far it is, and what it turned out to be."""

from enum import StrEnum


class FileState(StrEnum):
    """Of a case's file, and of a treatment document of a patient's record."""

    STORED = "stored"
    """Here whole, and waits to be checked. Nobody is shown its content yet."""
    READY = "ready"
    """Checked, and of use."""
    UNREADABLE = "unreadable"
    """Checked; its problem says why it is of no use, and what to do."""
    REMOVED = "removed"
    """Taken out, or there already under another id. Its row stays for the audit trail, its bytes go."""


class FileKind(StrEnum):
    """What the check made of the content; a file's name says nothing."""

    UNKNOWN = "unknown"
    """Not checked yet."""
    DICOM = "dicom"
    """An instance with frames."""
    PHOTO = "photo"
    DOCUMENT = "document"
    """A PDF, also one that a DICOM instance encloses."""
    SURFACE = "surface"
    """A surface scan, also one that a DICOM instance encloses."""
    DIRECTORY = "directory"
    """A disc's table of contents (DICOMDIR): for those who add files, not for those who read them."""
    ARCHIVE = "archive"
    """A ZIP: its entries are files of their own once it was opened."""
    OTHER = "other"
