"""What one file may cost. Figures are generous for dental studies and small for an attacker."""

from typing import Final

MIB: Final = 1 << 20

ADDRESS_SPACE: Final = 1024 * MIB
"""RLIMIT_AS of a child, of which interpreter and libraries take about 250 MiB."""
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
MAX_BLOB: Final = 512 * MIB

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
MAX_METADATA: Final = 16 * MIB
MAX_INFLATED: Final = 256 * MIB
MAX_FRAMES: Final = 20_000
MAX_FRAGMENTS: Final = 100_000
MAX_FRAME_BYTES: Final = 256 * MIB
MAX_PHOTO_PIXELS: Final = 120_000_000
