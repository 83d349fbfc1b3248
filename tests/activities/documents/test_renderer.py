"""The PDF as a reader gets it: its words, its pages, its tags, and nothing fetched."""

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from activities.documents import page
from activities.documents.document import Letterhead, PageSize, PatientBlock, ReportDocument
from activities.documents.pictures import Picture
from activities.documents.process import PdfRenderer
from schemas.report import ReportContent
from schemas.report_parts import AreaOfInterest, Examination, Finding, Recommendation
from schemas.signed_report import Withdrawal
from schemas.sla import AmendmentKind
from schemas.teeth import Notation
from tests.activities.documents.samples import APPROVER, AUTHOR, NOW, appended, content, document, picture, signed


def read(renderer: PdfRenderer, made: ReportDocument) -> PdfReader:
    return PdfReader(io.BytesIO(renderer.render(made)))


def words(reader: PdfReader) -> str:
    """The whole text with every run of white space as one space."""
    return " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())


@pytest.fixture(scope="module")
def final(renderer: PdfRenderer) -> PdfReader:
    return read(renderer, document(signed(content(), approver=APPROVER)))


def test_a_signed_report_says_everything_that_was_signed(final: PdfReader) -> None:
    text = words(final)
    for expected in (
        "Lakeshore Dental Centre",
        "+1 905 555 0142",
        "North Shore Oral Radiology",
        "Martha Whitfield",
        "9 Mar 1968 (58 years)",
        "LDC-20731",
        "Dr. Maria Castellanos",
        "Implant at 46.",
        "80 mm",
        "0.15 mm",
        "Maxillary sinuses Finding Mucosal thickening of 3 mm.",
        "Periapical radiolucency of 4.2 mm.",
        "Category 3: tell someone within days",
        "Tooth 46",
        "The ridge is 7.1 mm wide.",
        "Image 1 Cross-section at 46.",
        "By pixel spacing, not calibrated.",
        "Impression Sufficient bone at 46.",
        "Follow-up in 6 months · Site: 36 · Seen to by: Dr. Castellanos",
        "by telephone Yes Finding 2",
        "Grey values of cone beam CT are not Hounsfield units.",
        "Final report",
    ):
        assert expected in text, expected


def test_both_signatures_stand_with_registration_and_local_time(final: PdfReader) -> None:
    text = words(final)
    assert "Reported by Dr. Helena Brandt Registration OMR 40312 (Ontario) " in text
    assert "Signed electronically 24 Nov 2026, 10:30 EST" in text
    assert "Approved by Dr. Samuel Lindqvist Registration OMR 28817 " in text
    assert "Signed electronically 24 Nov 2026, 11:30 EST" in text
    assert signed(content(), approver=APPROVER).report_hash in text.replace(" ", "")


def test_every_page_has_its_number_the_version_and_from_the_second_on_the_patient(renderer: PdfRenderer) -> None:
    long = "The trabecular pattern is even and the cortical borders are intact. " * 25
    areas = tuple(AreaOfInterest(teeth=(tooth,), text=long) for tooth in ("46", "36", "26", "16", "11"))
    reader = read(renderer, document(signed(content(areas_of_interest=areas))))
    pages = [" ".join(sheet.extract_text().split()) for sheet in reader.pages]
    assert len(pages) >= 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Report rep_0123 · version 1 · Final report" in text
        assert "Martha Whitfield · born 9 Mar 1968 · LDC-20731" in text or number == 1


def test_the_file_is_tagged_and_declares_pdf_a_and_pdf_ua(final: PdfReader) -> None:
    root: Any = final.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-CA"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    metadata = root["/Metadata"].get_data()
    assert b'pdfaid:part="2"' in metadata
    assert b'pdfaid:conformance="A"' in metadata
    assert b'pdfuaid:part="1"' in metadata
    assert len(ElementTree.fromstring(metadata)) == 1
    tags = list(structure(root["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= {tag["/S"] for tag in tags}
    figures = [tag for tag in tags if tag["/S"] == "/Figure"]
    assert [figure["/Alt"] for figure in figures] == ["Image 1: Cross-section at 46."]
    cells = [tag for tag in tags if tag["/S"] == "/TD"]
    assert all(cell["/A"]["/Headers"] for cell in cells)
    fonts = {font["/BaseFont"] for sheet in pages_of(final) for font in sheet["/Resources"]["/Font"].values()}
    assert len(fonts) >= 2
    assert all("OdontoFlow-Sans" in name for name in fonts)


def pages_of(reader: PdfReader) -> Iterator[Any]:
    yield from reader.pages


def structure(element: Any) -> Iterator[Any]:
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        node = kid.get_object() if hasattr(kid, "get_object") else kid
        if isinstance(node, DictionaryObject) and "/S" in node:
            yield node
            yield from structure(node)


def test_metadata_names_the_report_not_the_patient(final: PdfReader) -> None:
    assert final.metadata is not None
    assert final.metadata.title == "Radiology report rep_0123, version 1"
    assert final.metadata.creation_date == document().generated_at.replace(microsecond=0)
    root: Any = final.trailer["/Root"]
    facts = str(dict(final.metadata)) + str(root["/Metadata"].get_data())
    assert "Whitfield" not in facts


def test_a_draft_never_looks_signed(renderer: PdfRenderer) -> None:
    for author in (None, AUTHOR):
        reader = read(renderer, document(draft=content(), preliminary_author=author))
        text = words(reader)
        assert "This report has not been signed." in text
        for absent in ("Signed electronically", "Reported by", "Final report", "OMR 40312", "SHA-256", "version"):
            assert absent not in text
    assert "Preliminary: not approved" in text
    assert "Written by Dr. Helena Brandt." in text


@pytest.mark.parametrize(
    ("facts", "mark", "explanation"),
    [
        ({"draft": content()}, "DRAFT: NOT SIGNED", "This text may still change."),
        ({"superseded_by": 3}, "SUPERSEDED BY VERSION 3", "Please read version 3."),
        (
            {
                "withdrawal": Withdrawal(
                    name="Dr. Ines Falk", at=NOW, reason="Wrong patient.", replacement_report_id="rep_9"
                )
            },
            "ENTERED IN ERROR",
            "by Dr. Ines Falk: Wrong patient. It is replaced by report rep_9.",
        ),
    ],
)
def test_a_report_that_is_not_in_force_says_so_on_every_page(
    renderer: PdfRenderer, facts: dict[str, Any], mark: str, explanation: str
) -> None:
    reader = read(renderer, document(**facts))
    assert explanation in words(reader)
    for sheet in reader.pages:
        assert mark in " ".join(sheet.extract_text().split())
        assert mark.capitalize() in " ".join(sheet.extract_text().split())


def test_an_addendum_is_dated_and_leaves_the_first_signature_in_place(renderer: PdfRenderer) -> None:
    first = signed(content(), approver=APPROVER)
    text = words(read(renderer, document(appended(first, "Not visible in 2024."), earlier=(first,))))
    assert "Final report · Addendum" in text
    assert "Addendum · version 2 · 25 Nov 2026, 10:30 EST Not visible in 2024. Addendum by Dr. Helena Brandt" in text
    assert "Approved by Dr. Samuel Lindqvist" in text
    assert "What changed since version 1: Addenda (added)" in text
    assert "1 First report 24 Nov 2026, 11:30 EST" in text
    assert text.index("Reported by") < text.index("Not visible in 2024.")


def test_a_correction_says_what_changed_and_why(renderer: PdfRenderer) -> None:
    first = signed(content())
    new = signed(
        content(impression="Insufficient bone at 46."),
        2,
        kind=AmendmentKind.CORRECTED,
        reason="The measurement was read at 47.",
        supersedes=1,
    )
    text = words(read(renderer, document(new, earlier=(first,))))
    assert "Corrected report · version 2" in text
    assert "Reason: The measurement was read at 47." in text
    assert "What changed since version 1: Impression (changed)" in text
    assert "Insufficient bone at 46." in text
    assert "Sufficient bone at 46." not in text.replace("Insufficient bone at 46.", "")


@pytest.mark.parametrize(("notation", "shown"), [(Notation.UNIVERSAL, "Tooth 30"), (Notation.PALMER, "Tooth LR6")])
def test_teeth_are_shown_as_the_practice_writes_them(renderer: PdfRenderer, notation: Notation, shown: str) -> None:
    assert shown in words(read(renderer, document(notation=notation)))


def test_page_size_locale_and_zone_are_the_practices(renderer: PdfRenderer) -> None:
    made = document(page_size=PageSize.LETTER, locale="de-DE", time_zone="Europe/Berlin")
    reader = read(renderer, made)
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [612, 792]
    text = words(reader)
    assert "09.03.1968" in text
    assert "0,15 mm" in text
    assert "24.11.2026, 16:30" in text
    a4 = read(renderer, document())
    assert [round(float(side)) for side in a4.pages[0].mediabox[2:]] == [595, 842]


def test_wide_images_stand_alone_and_others_in_pairs() -> None:
    figures = [page.Figure(n, Picture("", width, 100), "", "") for n, width in enumerate((100, 300, 100, 120, 90))]
    assert [[figure.number for figure in row] for row in page._rows(figures)] == [[0], [1], [2, 3], [4]]


def test_long_words_and_other_scripts_stay_on_the_page(renderer: PdfRenderer) -> None:
    patient = PatientBlock(name="محمد الأحمد " + "Wolfeschlegelsteinhausen" * 6, patient_id="X" * 120)
    made = document(
        signed(content(impression="A" * 3000 + "\nעצם תקינה באזור 36")), patient=patient, referrer="y" * 200
    )
    reader = read(renderer, made)
    assert words(reader).replace(" ", "").count("A" * 40) >= 60
    longest = max(len(line) for sheet in reader.pages for line in sheet.extract_text().splitlines())
    assert longest < 140


HOSTILE = (
    "{{ 7*7 }} {% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %} "
    "<script>alert(1)</script><img src='BASE/img'><link rel=stylesheet href='BASE/css'><style>@import url(BASE/import);"
    "@font-face{font-family:x;src:url(BASE/font)}*{background:url(BASE/bg) url(file:///etc/passwd)}</style>"
    "<object data='BASE/object'></object><link rel=attachment href='file:///etc/passwd'><base href='BASE/'>"
    "<svg><image href='BASE/svg'/></svg> \"' --> ]]> url(file:///etc/passwd)"
)


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and the paths that it was asked for."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def test_hostile_words_are_printed_and_fetch_nothing(
    renderer: PdfRenderer, visits: tuple[str, list[str]], tmp_path: Path
) -> None:
    base, seen = visits
    words_of_the_attack = HOSTILE.replace("BASE", base)
    line = words_of_the_attack[:190]
    text = content(
        impression=words_of_the_attack,
        examination=Examination(device=line, indication=words_of_the_attack, field_of_view_mm=80),
        findings=(Finding(id="f2", site=line, text=words_of_the_attack),),
        recommendations=(Recommendation(text=words_of_the_attack),),
    )
    made = document(
        signed(text),
        letterhead=Letterhead(name=line, address_lines=(line,), phone=line),
        patient=PatientBlock(name=line, patient_id=line),
        referrer=line,
        notices=(words_of_the_attack,),
    )
    reader = read(renderer, made)
    assert seen == []
    printed = words(reader).replace(" ", "")
    assert "{{7*7}}" in printed
    assert "<script>alert(1)</script>" in printed
    assert "root:x:0" not in printed
    assert reader.attachments == {}
    assert all(not sheet.get("/Annots") for sheet in reader.pages)


def test_a_stylesheet_that_asks_for_files_or_the_network_gets_nothing(
    visits: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of defence: even markup that got through to the engine cannot fetch."""
    from activities.documents import renderer as engine

    base, seen = visits
    engine.silence()
    monkeypatch.setattr(page, "html", lambda _: f"<html lang=en><body>{HOSTILE.replace('BASE', base)}</body></html>")
    reader = PdfReader(io.BytesIO(engine.render_pdf(document())))
    assert seen == []
    assert reader.attachments == {}
    assert "root:x:0" not in words(reader)


def test_an_empty_report_can_be_printed_as_a_draft(renderer: PdfRenderer) -> None:
    text = words(read(renderer, document(draft=ReportContent(), patient=PatientBlock(name="A"))))
    assert "Not written yet." in text


def test_a_logo_is_described(renderer: PdfRenderer) -> None:
    letterhead = Letterhead(name="Lakeshore", logo=picture("PNG", mode="RGBA"))
    reader = read(renderer, document(letterhead=letterhead))
    root: Any = reader.trailer["/Root"]
    alts = [tag.get("/Alt") for tag in structure(root["/StructTreeRoot"]) if tag["/S"] == "/Figure"]
    assert "Logo of Lakeshore" in alts
