"""Pictures are made anew: nothing but pixels of a JPEG or PNG reaches a report."""

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from activities.documents import pictures
from activities.documents.errors import UnusablePicture
from tests.activities.documents.samples import picture


def opened(made: pictures.Picture) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(made.url.partition(",")[2])))


def test_metadata_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Martha Whitfield"
    made = pictures.key_image(picture(exif=exif.tobytes(), comment=b"Martha Whitfield"))
    again = opened(made)
    assert not again.getexif()
    assert b"Whitfield" not in base64.b64decode(made.url.partition(",")[2])


def test_a_grey_image_stays_grey_and_a_png_becomes_a_jpeg() -> None:
    made = pictures.key_image(picture("PNG"))
    assert (opened(made).format, opened(made).mode) == ("JPEG", "L")
    assert (made.width, made.height) == (320, 240)


def test_a_large_image_is_brought_to_printing_size_in_proportion() -> None:
    made = pictures.key_image(picture(size=(4000, 1000)))
    assert (made.width, made.height) == (1600, 400)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    if mode == "I;16":
        target = io.BytesIO()
        Image.new("I;16", (8, 8), 65535).save(target, "PNG")
        assert opened(pictures.key_image(target.getvalue())).getpixel((4, 4)) == 255
    else:
        assert opened(pictures.key_image(picture("PNG", mode=mode))).mode in {"L", "RGB"}


def test_transparency_is_laid_on_white() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(target, "PNG")
    assert opened(pictures.logo(target.getvalue())).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        picture("GIF"),
        picture("TIFF"),
        picture("PNG")[:60],
        picture()[:200],
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(UnusablePicture):
        pictures.key_image(data)


def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((30_000 // 8 + 1) * 100))
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    with pytest.raises(UnusablePicture):
        pictures.key_image(bomb)
