"""Why a file cannot be used, as a code for programs and a sentence that says what to do."""

from enum import StrEnum
from typing import Final

from schemas.translation import N_


class ProblemCode(StrEnum):
    EMPTY = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    ARCHIVE_KIND = "archive_kind"
    ARCHIVE_DAMAGED = "archive_damaged"
    ARCHIVE_LOCKED = "archive_locked"
    ARCHIVE_METHOD = "archive_method"
    ARCHIVE_NAMES = "archive_names"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    ARCHIVE_EMPTY = "archive_empty"
    ARCHIVE_NESTED = "archive_nested"
    AVIF = "avif"
    PDF_LOCKED = "pdf_locked"
    PDF_ACTIVE = "pdf_active"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    NO_PIXEL_DATA = "no_pixel_data"
    MISSING_UIDS = "missing_uids"
    PIXEL_DESCRIPTION = "pixel_description"
    PIXEL_COUNT = "pixel_count"
    FRAME_BOUNDARIES = "frame_boundaries"
    UNSUPPORTED_SYNTAX = "unsupported_transfer_syntax"
    RETIRED_JPEG = "retired_jpeg"
    JPEG_XL = "jpeg_xl"
    VIDEO = "video"
    PIXELS_ELSEWHERE = "pixels_elsewhere"
    FLOAT_PIXELS = "float_pixels"
    UNSUPPORTED_COLOURS = "unsupported_colours"
    SYNTAX_MISMATCH = "transfer_syntax_mismatch"
    UNDECODABLE = "undecodable"
    OVER_LIMITS = "over_limits"
    TOO_SLOW = "too_slow"
    UNSAFE = "unsafe"
    DUPLICATE = "duplicate"
    CONFLICTING_INSTANCE = "conflicting_instance"
    MIXED_PATIENTS = "mixed_patients"
    BLOB_DAMAGED = "storage_damaged"
    INFECTED = "infected"


SENTENCES: Final[dict[ProblemCode, str]] = {
    ProblemCode.INFECTED: N_(
        "The virus scanner found something harmful in this file. Please remove it here, and check the computer that it came from."
    ),
    ProblemCode.EMPTY: N_("This file is empty. Please export it again and upload the new one."),
    ProblemCode.NOT_AN_IMAGE: N_(
        "This is no image or document that can be read here. Please upload DICOM files, photographs (JPEG, PNG, TIFF, WebP, HEIC), PDF, or surface scans (STL, PLY)."
    ),
    ProblemCode.AVIF: N_(
        "This is an AVIF picture, which cannot be read here. Please save it as JPEG or PNG and upload that."
    ),
    ProblemCode.PDF_LOCKED: N_(
        "This PDF is locked with a password or restricted. Please print it into a new PDF and upload that one."
    ),
    ProblemCode.PDF_ACTIVE: N_(
        "This PDF holds a program or other files, which would run or open with it. Please print it into a new PDF and upload that one."
    ),
    ProblemCode.ARCHIVE_KIND: N_(
        "This is a packed archive of a kind that cannot be opened here (such as 7z or RAR). Please pack it as ZIP, or upload the folder that is in it."
    ),
    ProblemCode.ARCHIVE_DAMAGED: N_(
        "This archive is damaged or was cut off, and is not opened. Please pack it again, or upload the folder that is in it."
    ),
    ProblemCode.ARCHIVE_LOCKED: N_(
        "This archive is locked with a password. Please pack it without one, or upload the folder that is in it."
    ),
    ProblemCode.ARCHIVE_METHOD: N_(
        "This archive is packed in a way that cannot be opened here. Please pack it as an ordinary ZIP, or upload the folder that is in it."
    ),
    ProblemCode.ARCHIVE_NAMES: N_(
        "This archive holds links, or names that lead out of it or are there twice; it is not opened. Please upload the folder that belongs in it."
    ),
    ProblemCode.ARCHIVE_TOO_LARGE: N_(
        "This archive would unpack to more than is allowed. Please upload the folder that is in it, or pack it in parts."
    ),
    ProblemCode.ARCHIVE_EMPTY: N_("This archive holds no image and no document. Please pack it again from the source."),
    ProblemCode.ARCHIVE_NESTED: N_(
        "This is an archive within an archive, which is not opened. Please unpack it and upload what is in it."
    ),
    ProblemCode.TRUNCATED: N_(
        "This file ends too early: it was probably cut off while it was copied. Please copy it again from the source and upload it."
    ),
    ProblemCode.DAMAGED: N_("This file is damaged and cannot be read. Please export it again and upload the new one."),
    ProblemCode.NO_PIXEL_DATA: N_(
        "This DICOM file holds no image. Remove it, or upload the image that belongs in its place."
    ),
    ProblemCode.MISSING_UIDS: N_(
        "This DICOM file lacks the identifiers of its study, series or image. Please export it again from the imaging software."
    ),
    ProblemCode.PIXEL_DESCRIPTION: N_(
        "This DICOM file does not say how its pixels are stored. Please export it again from the imaging software."
    ),
    ProblemCode.PIXEL_COUNT: N_(
        "The pixels in this file do not match its stated size or number of frames. Please export it again from the imaging software."
    ),
    ProblemCode.FRAME_BOUNDARIES: N_(
        "It cannot be told where each frame of this file begins. Please export it as single images or uncompressed."
    ),
    ProblemCode.UNSUPPORTED_SYNTAX: N_(
        "The compression of this file cannot be shown here. Please export it uncompressed or as JPEG 2000."
    ),
    ProblemCode.RETIRED_JPEG: N_(
        "This file is compressed with a retired form of JPEG (hierarchical or arithmetic). Please export it uncompressed or as JPEG 2000."
    ),
    ProblemCode.JPEG_XL: N_(
        "This file is compressed as JPEG XL, which cannot be shown here. Please export it uncompressed or as JPEG 2000."
    ),
    ProblemCode.VIDEO: N_(
        "This file is a film (MPEG, H.264 or H.265), which cannot be shown here. Please export the images of it that matter as single images."
    ),
    ProblemCode.PIXELS_ELSEWHERE: N_(
        "This file names a server for its pixels (JPIP) and does not hold them. Please export the study with its images."
    ),
    ProblemCode.FLOAT_PIXELS: N_(
        "The pixels of this file are decimal or 64-bit numbers, as of a computed map, and cannot be shown here. Please export the images that it was made from."
    ),
    ProblemCode.UNSUPPORTED_COLOURS: N_(
        "The colours of this file are described in a way that cannot be shown here. Please export it as RGB."
    ),
    ProblemCode.SYNTAX_MISMATCH: N_(
        "This file is compressed in another way than it states. Please export it again from the imaging software."
    ),
    ProblemCode.UNDECODABLE: N_(
        "The picture in this file cannot be decoded. Please export it again and upload the new one."
    ),
    ProblemCode.OVER_LIMITS: N_(
        "Reading this file would take more memory than is allowed. Please export the study as single images."
    ),
    ProblemCode.TOO_SLOW: N_(
        "Reading this file takes longer than is allowed. Please export the study as single images."
    ),
    ProblemCode.UNSAFE: N_("This file could not be read safely. Please export it again from the imaging software."),
    ProblemCode.DUPLICATE: N_("This image is in the case already; it was kept once. Nothing needs to be done."),
    ProblemCode.CONFLICTING_INSTANCE: N_(
        "Another image with the same identifier is in the case already, with other content. Remove one of the two."
    ),
    ProblemCode.MIXED_PATIENTS: N_(
        "This file came in a folder or an archive with two patients in it, which is not taken. Keep the files of this case's patient, or remove all of them."
    ),
    ProblemCode.BLOB_DAMAGED: N_("This file was damaged in storage and is not shown. Please upload it again."),
}


class FileProblem(Exception):
    """A file cannot be used. Holds a code only: what is in the file never reaches a log."""

    def __init__(self, code: ProblemCode) -> None:
        super().__init__(code.value)
        self.code = code
