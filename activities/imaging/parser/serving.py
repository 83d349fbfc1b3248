"""The confined process at work: everything is loaded, everything is given up, then one request after the other."""

import codecs
import gc
import json
import logging
import warnings

import gdcm  # noqa: F401 - a decoder that pydicom would import on first use, when no file can be opened any more
import jpeg_ls  # noqa: F401
import numpy.ma  # noqa: F401
import openjpeg  # noqa: F401
from PIL import Image
from pydicom.charset import python_encoding

from activities.imaging.parser import archive
from activities.imaging.parser.confinement import confine
from activities.imaging.parser.limits import MAX_BLOB, MAX_MESSAGE
from activities.imaging.parser.operations import answer
from activities.imaging.parser.pipe import Pipe
from activities.imaging.parser.problems import ProblemCode
from activities.imaging.parser.wire import Type
from schemas.files import FileKind


def serve(*, isolated: bool) -> None:
    """Until the parent closes its pipe. ``isolated``: whether the process has left its parent's network."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    # From `confine` on no file can be opened: what is loaded on first use is loaded now.
    Image.init()
    for encoding in {*python_encoding.values(), archive.NAMES_IN}:
        codecs.lookup(encoding)
    pipe = Pipe()
    confine()
    gc.freeze()
    pipe.send(Type.HELLO, json.dumps({"isolated": isolated}).encode())
    while True:
        request = json.loads(pipe.receive(Type.REQUEST))
        facts, blobs = answer(pipe, request, pipe.receive(Type.DATA))
        facts["blobs"] = len(blobs)
        encoded = json.dumps(facts, separators=(",", ":")).encode()
        if len(encoded) > MAX_MESSAGE or any(len(blob) > MAX_BLOB for blob in blobs):
            blobs = []
            encoded = json.dumps(
                {"problem": ProblemCode.OVER_LIMITS.value, "kind": FileKind.OTHER, "blobs": 0}
            ).encode()
        pipe.send(Type.ANSWER, encoded)
        for blob in blobs:
            pipe.send(Type.BLOB, blob)
