"""The file as the child sees it: ranges fetched from the parent, a few blocks of them kept."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from activities.imaging.parser.limits import BLOCK_BYTES, CACHED_BLOCKS, MAX_READ
from activities.imaging.parser.problems import FileProblem, ProblemCode


class Bytes(Protocol):
    """Random access to a file's content."""

    size: int
    key: str
    """Names the content among all; "" when it has no name."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes. Raises FileProblem (truncated) beyond the end."""
        ...


class RangedFile:
    """``fetch(offset, length)`` gets bytes from the parent; ``head`` came with the request."""

    def __init__(self, size: int, head: bytes, fetch: Callable[[int, int], bytes], *, key: str = "") -> None:
        self.size = size
        self.key = key
        self._head = head
        self._fetch = fetch
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, offset: int, length: int) -> bytes:
        end = offset + length
        if offset < 0 or length < 0 or end > self.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        if end <= len(self._head):
            return self._head[offset:end]
        if length > BLOCK_BYTES:
            if length > MAX_READ:
                raise FileProblem(ProblemCode.OVER_LIMITS)
            return self._exactly(offset, length)
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        whole = b"".join(self._block(index) for index in range(first, last + 1))
        start = offset - first * BLOCK_BYTES
        return whole[start : start + length]

    def _block(self, index: int) -> bytes:
        block = self._blocks.get(index)
        if block is None:
            start = index * BLOCK_BYTES
            block = self._exactly(start, min(BLOCK_BYTES, self.size - start))
            self._blocks[index] = block
            if len(self._blocks) > CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        return block

    def _exactly(self, offset: int, length: int) -> bytes:
        data = self._fetch(offset, length)
        if len(data) != length:
            raise FileProblem(ProblemCode.TRUNCATED)
        return data


class MemoryFile:
    """Content that is in memory."""

    key = ""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        return self._content[offset : offset + length]


class Stream(io.RawIOBase):
    """A file object over ``Bytes``, for libraries that want one."""

    def __init__(self, source: Bytes) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override] # typeshed has no name for any buffer
        length = max(0, min(len(buffer), self._source.size - self._position))
        if length:
            buffer[:length] = self._source.read_at(self._position, length)
            self._position += length
        return length
