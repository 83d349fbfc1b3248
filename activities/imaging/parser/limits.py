"""What one file may cost. Figures are generous for dental studies and small for an attacker."""

from typing import Final

MIB: Final = 1 << 20

ADDRESS_SPACE: Final = 488 * MIB
"""RLIMIT_AS of a child: 512 MB, so that no file can make it hold more. Interpreter and libraries take about 180 MiB of it;
``MAX_FRAME_BYTES`` and the reading in strips and pieces follow from what is left."""
CHILD_CPU_SECONDS: Final = 300
"""RLIMIT_CPU of a child's whole life: one that its parent lost ends by itself."""
FILE_SECONDS: Final = 10.0
"""Wall time for one file; the child is killed after it."""
START_SECONDS: Final = 30.0
RECYCLE_AFTER: Final = 2000
"""Files after which a child is replaced, so that nothing it holds on to lasts."""

HEAD_BYTES: Final = 64 * 1024
"""Sent along with a request: the header of an ordinary instance."""
BLOCK_BYTES: Final = 64 * 1024
READ_BYTES: Final = MIB
CACHED_BLOCKS: Final = 32

MAX_MESSAGE: Final = 24 * MIB
"""Largest JSON that a child may answer."""
MAX_BLOB: Final = 32 * MIB
"""Largest small result that a child may answer: a preview, an instance's metadata."""
MAX_READ: Final = 96 * MIB
"""Largest range of a file that a child may ask for at once: a frame as it is stored."""
MAX_PIECE: Final = MIB
"""A large result is sent in pieces of this size."""

MAX_DEPTH: Final = 24
"""Nested sequences; DICOM's deepest templates need about ten."""
MAX_ELEMENTS: Final = 20_000
"""Elements of the top level."""
MAX_HEADER: Final = 16 * MIB
"""All attributes without pixel data; 800 per-frame functional groups are about 1 MiB."""
MAX_VALUE: Final = 256 * 1024
"""A single value that is no sequence; longer ones are bulk data, which stays in the file."""
MAX_INLINE_BINARY: Final = 1024
"""Binary values above it are left out of the DICOM JSON; palettes (PS3.3 C.7.9) are not."""
MAX_BULK: Final = 200
"""Values left out of the DICOM JSON that can be had each by itself, of one instance."""
MAX_METADATA: Final = 16 * MIB
MAX_INFLATED: Final = 256 * MIB
"""A deflated data set in the clear. It is never held as a whole (see ``inflating``): this bounds time, not memory."""
RESTART_BYTES: Final = 4 * MIB
"""Of inflated content, between two places where inflating can start anew; each costs about 60 kB of memory."""
MAX_FRAMES: Final = 20_000
MAX_FRAGMENTS: Final = 100_000
MAX_FRAME_BYTES: Final = 72 * MIB
"""One frame, decoded: a colour photograph of 24 megapixels, or 36 megapixels of 16 bits."""
WORKING_BYTES: Final = 280 * MIB
"""What a decoder may need for one frame, all its copies together."""
STRIP_PIXELS: Final = 1 << 20
"""Pixels that are turned into grey values at once."""
MAX_PHOTO_PIXELS: Final = 120_000_000
MAX_ARCHIVE_ENTRIES: Final = 20_000
MAX_ARCHIVE_RATIO: Final = 200
"""How much larger than itself an archive's content may be."""
