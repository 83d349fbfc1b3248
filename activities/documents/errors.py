"""What can go wrong between a report and its PDF. No message holds PHI: the laying-out process returns codes only."""

from schemas.errors import InvalidInput, OdontoError
from schemas.translation import N_

SYSTEM_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-droid-fallback"
"""Debian packages of a machine that makes PDFs: layout, font subsetting, and fonts for scripts beyond the report's own."""


class PdfFailed(OdontoError):
    code = "pdf_failed"
    status = 500
    title = N_("The PDF could not be made. The report itself is safe; please try again.")


class PdfTimedOut(PdfFailed):
    code = "pdf_timed_out"
    status = 503
    title = N_("Making the PDF took too long and was stopped. The report itself is safe; please try again.")


class PdfLibraryMissing(PdfFailed):
    code = "pdf_library_missing"
    status = 503
    title = f"This machine cannot make PDFs yet. Install the system packages: apt-get install {SYSTEM_PACKAGES}"


class UnusablePicture(InvalidInput):
    code = "unusable_picture"
    title = N_("A picture cannot be used: it must be a JPEG or PNG file of at most 40 megapixels.")
