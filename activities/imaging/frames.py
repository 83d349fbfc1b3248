"""The frames of a recorded instance."""

import json

from schemas.tables.imaging import Instance


def ranges_of_frame(instance: Instance, frame: int) -> list[int] | None:
    """Offset and length of each part of a frame (from 0) in the file; None when its frames are always served decoded."""
    index: list[list[int]] = json.loads(instance.frame_index)
    return index[frame] if index else None
