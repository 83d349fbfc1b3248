"""From a `ReportDocument` to a tagged PDF: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1) in one file.

Importing this module loads WeasyPrint and the system's layout libraries (half a second, and much memory): only the
laying-out process does, see activities/documents/process.py.
"""

import base64
import logging
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from weasyprint import CSS, HTML
from weasyprint.pdf.metadata import DocumentMetadata
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from activities.documents import page
from activities.documents.document import PageSize, ReportDocument

_FONTS: Final = {"Regular": ("normal", 400), "Semibold": ("normal", 600), "Italic": ("italic", 400)}
_PAGE_SIZES: Final = {PageSize.A4: "210mm 297mm", PageSize.LETTER: "215.9mm 279.4mm"}

# PDF/A allows properties of other schemas only with their description (ISO 19005-2, 6.6.2.3.3).
_PDF_UA_METADATA: Final = b"""
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of the PDF/UA standard to which the file conforms</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""
_END_OF_RDF: Final = b"</rdf:RDF>"


class Rendering(NamedTuple):
    """A PDF, its number of pages, and how many different characters no installed font could draw (shown as boxes)."""

    pdf: bytes
    pages: int
    missing_glyphs: int


@lru_cache(maxsize=1)
def _fetcher() -> URLFetcher:
    """Data that the page carries itself, and nothing else: no file, no network (SAFETY.md, PDF rendering)."""
    return URLFetcher(allowed_protocols={"data"}, allow_redirects=False)


@lru_cache(maxsize=1)
def _font_configuration() -> FontConfiguration:
    return FontConfiguration()


@lru_cache(maxsize=len(PageSize))
def _style(size: PageSize) -> CSS:
    """The style sheet with its fonts, read once a process."""
    package = files("activities.documents")
    faces = [
        f'@font-face {{ font-family: "OdontoFlow Sans"; font-style: {slant}; font-weight: {weight}; src: url("data:font/woff2;'
        f'base64,{base64.b64encode((package / "fonts" / f"OpenSans-{name}.woff2").read_bytes()).decode()}") }}'
        for name, (slant, weight) in _FONTS.items()
    ]
    sheet = (package / "templates" / "report.css").read_text()
    return _css("\n".join([*faces, sheet, f"@page {{ size: {_PAGE_SIZES[size]} }}"]))


def _css(text: str) -> CSS:
    return CSS(string=text, font_config=_font_configuration(), url_fetcher=_fetcher())


def render(document: ReportDocument) -> Rendering:
    """Lay the document out. Raises UnusablePicture."""
    sheets = [_style(document.page_size)]
    if watermark := page.watermark_css(document):
        sheets.append(_css(watermark))
    laid_out = HTML(string=page.html(document), url_fetcher=_fetcher()).render(
        font_config=_font_configuration(), stylesheets=sheets, pdf_variant="pdf/a-2a", jpeg_quality=None
    )
    _declare_pdf_ua(laid_out.metadata)
    pdf = laid_out.write_pdf(pdf_variant="pdf/a-2a")
    missing = sum(len(font.missing) for font in laid_out.fonts.values())
    return Rendering(pdf, len(laid_out.pages), missing)


def _declare_pdf_ua(metadata: DocumentMetadata) -> None:
    """Put the PDF/UA mark into the one RDF element that an XMP packet has (ISO 16684-1, 7.4)."""
    generate = metadata.generate_rdf_metadata

    def generate_both(*arguments: object) -> bytes:
        rdf: bytes = generate(*arguments)
        return rdf.replace(_END_OF_RDF, _PDF_UA_METADATA + _END_OF_RDF)

    metadata.generate_rdf_metadata = generate_both


def render_pdf(document: ReportDocument) -> bytes:
    """The document as PDF bytes, laid out in this process. Raises UnusablePicture."""
    return render(document).pdf


def silence() -> None:
    """The library's log quotes the text that it lays out, which is PHI: nothing of it may be written."""
    for name in ("weasyprint", "weasyprint.progress", "fontTools", "PIL"):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
