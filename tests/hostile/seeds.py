"""Small good files of every form, for fuzzers to break."""

import io

from PIL import Image

from tests.activities.imaging import files


def seeds() -> list[bytes]:
    jpeg, j2k = io.BytesIO(), io.BytesIO()
    Image.new("L", (16, 16), 90).save(jpeg, "JPEG")
    Image.new("L", (16, 16), 90).save(j2k, "JPEG2000")
    codestream = j2k.getvalue()[j2k.getvalue().index(b"\xff\x4f\xff\x51") :]
    native = files.dicom_file(study="1.2.3", series="1.2.4", frames=2)
    return [
        native,
        files.deflated(native),
        files.nested_sequences(5, defined=False),
        files.nested_sequences(5, defined=True),
        files.compressed(jpeg.getvalue(), "1.2.840.10008.1.2.4.50", size=16),
        files.compressed(codestream, "1.2.840.10008.1.2.4.90", size=16),
        files.pydicom_file("SC_rgb_rle_2frame.dcm"),
        files.pydicom_file("MR_small_bigendian.dcm"),
        files.pydicom_file("SC_rgb_small_odd_jpeg.dcm"),
        files.photo(),
        files.pdf(),
        b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n",
    ]
