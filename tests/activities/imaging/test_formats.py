"""Photographs, documents, surfaces and discs: what is taken, what is said of it, and what never goes out again."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from sqlmodel import select

from activities.imaging.file_facts import facts_of, missing_images
from activities.imaging.image_sets import freeze_image_set
from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import ProblemCode
from activities.imaging.parser.results import BareCopy
from schemas.state import IdentityStanding
from schemas.tables.imaging import Instance
from tests.activities.imaging import files, pictures
from tests.activities.imaging.conftest import Clinic

MARKED = {
    "JPEG": pictures.marked_photo("JPEG"),
    "PNG": pictures.marked_photo("PNG"),
    "WEBP": pictures.marked_photo("WEBP"),
    "TIFF": pictures.marked_photo("TIFF"),
    "HEIF": pictures.heic(),
}


def sent(copy: BareCopy, content: bytes) -> bytes:
    """What a download sends of the file."""
    out = copy.drawn
    for piece in copy.pieces:
        if isinstance(piece, bytes):
            out += piece
        else:
            out += bytes(piece[1]) if piece[0] < 0 else content[piece[0] : sum(piece)]
    assert len(out) == copy.size
    return out


def shown(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def test_a_heic_photograph_is_turned_once(pool: ParserPool) -> None:
    found = pool.examine(BytesSource(pictures.heic()))
    assert (found.kind, found.problem) == ("photo", None)
    assert found.photo is not None and (found.photo.format, found.photo.width, found.photo.height) == ("HEIF", 48, 64)
    preview = shown(found.preview).convert("RGB")
    assert preview.size == (48, 64)
    red, green, _ = preview.getpixel((44, 3))  # type: ignore[misc] # upper left as taken, upper right as held
    assert red > 180 and green < 90


def test_a_cut_heic_and_an_avif_are_refused_by_name(pool: ParserPool) -> None:
    assert pool.examine(BytesSource(pictures.heic()[:-200])).problem in {ProblemCode.UNDECODABLE, ProblemCode.DAMAGED}
    assert pool.examine(BytesSource(pictures.avif())).problem is ProblemCode.AVIF
    assert pool.examine(BytesSource(pictures.heic())).problem is None


@pytest.mark.parametrize("form", MARKED)
def test_no_served_byte_of_a_photograph_tells_where_or_with_what_it_was_taken(pool: ParserPool, form: str) -> None:
    content = MARKED[form]
    assert pictures.CANARY in content, "the file must hold what is looked for"
    source = BytesSource(content)
    for served in (
        pool.examine(source).preview,
        pool.redraw(source, max_side=2560).image,
        sent(pool.bare(source), content),
    ):
        assert pictures.CANARY not in served
        assert not {tag for tag in shown(served).getexif() if tag in {0x010F, 0x8825, 0x927C, 270}}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_bare_copy_keeps_every_pixel_and_how_the_picture_is_held(pool: ParserPool, form: str) -> None:
    content = MARKED[form]
    copy = shown(sent(pool.bare(BytesSource(content)), content))
    original = shown(content)
    assert copy.format == original.format
    assert np.array_equal(np.asarray(copy.convert("RGB")), np.asarray(original.convert("RGB")))
    assert copy.getexif().get(0x0112, 1) == original.getexif().get(0x0112, 1)


@pytest.mark.parametrize("form", ["TIFF", "WEBP"])
def test_of_several_pages_the_first_is_shown_all_are_counted_and_all_are_in_the_copy(
    pool: ParserPool, form: str
) -> None:
    content = pictures.pages(form, 3)
    found = pool.examine(BytesSource(content))
    assert found.problem is None and found.photo is not None and found.photo.pages == 3
    assert abs(shown(found.preview).convert("L").getpixel((5, 5)) - 200) < 6  # type: ignore[operator]
    copy = shown(sent(pool.bare(BytesSource(content)), content))
    assert getattr(copy, "n_frames", 1) == 3


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "CMYK"), ("TIFF", "CMYK"), ("PNG", "I;16"), ("TIFF", "I;16"), ("PNG", "LA"), ("TIFF", "1")],
)
def test_colour_spaces_and_depths_are_shown_as_they_are_meant(pool: ParserPool, form: str, mode: str) -> None:
    content = pictures.picture(form, mode)
    found = pool.examine(BytesSource(content))
    assert found.problem is None
    preview = shown(found.preview).convert("L")
    assert preview.getpixel((3, 10)) < 12 and preview.getpixel((27, 10)) > 243  # type: ignore[operator]
    assert np.array_equal(np.asarray(shown(sent(pool.bare(BytesSource(content)), content))), np.asarray(shown(content)))


@pytest.mark.parametrize(
    ("content", "form", "triangles"),
    [
        (pictures.stl(1200), "STL", 1200),
        (pictures.ascii_stl(7), "STL", 7),
        (pictures.ply(5), "PLY", 5),
    ],
)
def test_a_surface_scan_says_how_many_triangles_it_has(
    pool: ParserPool, content: bytes, form: str, triangles: int
) -> None:
    found = pool.examine(BytesSource(content))
    assert (found.kind, found.problem) == ("surface", None)
    assert found.photo is not None and (found.photo.format, found.photo.triangles) == (form, triangles)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pictures.stl(1200)[:-60], ProblemCode.NOT_AN_IMAGE),
        (pictures.ascii_stl(7)[:-40], ProblemCode.TRUNCATED),
        (pictures.ply(5, claimed=5_000_000), ProblemCode.TRUNCATED),
        (b"ply\nformat strange 1.0\nend_header\n", ProblemCode.DAMAGED),
        (pictures.pdf_with(b"/Encrypt 4 0 R"), ProblemCode.PDF_LOCKED),
        (pictures.pdf_with(b"/OpenAction<</S/JavaScript/JS(app.alert)>>"), ProblemCode.PDF_ACTIVE),
        (pictures.pdf_with(b"/OpenAction<</S/J#61vaScript>>"), ProblemCode.PDF_ACTIVE),
        (pictures.pdf_with(packed=b"4 0 <</S/Launch/F(cmd.exe)>>"), ProblemCode.PDF_ACTIVE),
        (pictures.pdf_with(b"/Names<</EmbeddedFiles 5 0 R>>"), ProblemCode.PDF_ACTIVE),
        (pictures.enclosed(pictures.pdf_with(b"/Encrypt 4 0 R")), ProblemCode.PDF_LOCKED),
        (pictures.enclosed(b"MZ no document"), ProblemCode.DAMAGED),
    ],
)
def test_what_is_refused_has_its_reason(pool: ParserPool, content: bytes, code: ProblemCode) -> None:
    assert pool.examine(BytesSource(content)).problem is code


def test_a_plain_pdf_with_such_words_in_its_text_is_taken(pool: ParserPool) -> None:
    found = pool.examine(BytesSource(pictures.pdf_with(packed=b"4 0 <</Type/Font>>")))
    assert (found.kind, found.problem) == ("document", None)


def test_an_enclosed_document_belongs_to_its_study_and_is_compared_with_the_patient(clinic: Clinic) -> None:
    case = clinic.open_case()
    image = clinic.put(case, files.dicom_file())
    letter = clinic.put(case, pictures.enclosed(files.pdf() + b"x" * 300_000 + files.pdf()))
    clinic.imaging.ingest(case.id)
    assert (clinic.file(letter).kind, clinic.file(letter).state) == ("document", "ready")
    with clinic.world.database.write() as session:
        held = session.exec(select(Instance).where(Instance.file_id == letter)).one()
        assert held.frames == 0 and len(json.loads(held.frame_index)) == 1
        freeze_image_set(session, case.id, 1)
    assert clinic.imaging.verdict(case.id, 1).readable == 1, "a document is no image"
    assert clinic.imaging.verdict(case.id, 1).identity is IdentityStanding.MATCHED
    assert clinic.file(image).state == "ready"

    other = clinic.open_case()
    clinic.put(other, files.dicom_file())
    clinic.put(other, pictures.enclosed(files.pdf(), PatientName="Keller^Urs", PatientBirthDate="19500101"))
    clinic.imaging.ingest(other.id)
    with clinic.world.database.write() as session:
        freeze_image_set(session, other.id, 1)
    assert clinic.imaging.verdict(other.id, 1).identity is IdentityStanding.MISMATCHED


def test_a_disc_names_the_images_that_were_not_sent(clinic: Clinic) -> None:
    case = clinic.open_case()
    clinic.put(case, files.dicom_file(SOPInstanceUID="1.2.3.1"))
    disc = clinic.put(case, pictures.disc_directory(["1.2.3.1", "1.2.3.2", "1.2.3.3"]), "DICOMDIR")
    clinic.imaging.ingest(case.id)
    row = clinic.file(disc)
    assert (row.kind, row.state) == ("directory", "ready")
    assert row.facts is not None and b"IM0001" not in row.facts, "what a disc lists is sealed"
    facts = facts_of(clinic.world.keys.data_key(case.key_id), row)
    with clinic.world.database.read() as session:
        assert missing_images(session, case.id, facts) == ("IMAGES/IM0001", "IMAGES/IM0002")
    clinic.put(case, files.dicom_file(SOPInstanceUID="1.2.3.2"))
    clinic.put(case, files.dicom_file(SOPInstanceUID="1.2.3.3"))
    clinic.imaging.ingest(case.id)
    with clinic.world.database.read() as session:
        assert missing_images(session, case.id, facts) == ()
