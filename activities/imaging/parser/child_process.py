"""One child process and the two pipes to it."""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from activities.imaging.parser import limits
from activities.imaging.parser.wire import FRAME, RANGE, Operation, Type

_PROGRAM: Final = Path(__file__).with_name("child.py")
_BOUNDS: Final[dict[int, int]] = {Type.BLOB: limits.MAX_BLOB, Type.PIECE: limits.MAX_PIECE}
_PIPE_BYTES: Final = 1 << 20


class Source(Protocol):
    """A file's clear content, such as a ``BlobReader``."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes: ...


Sink = Callable[[bytes], object]
"""Takes a large result, piece by piece."""


class ChildLost(Exception):
    """The child died or broke the protocol."""


class ChildSlow(Exception):
    """The child took longer than a file may take."""


def _widen(pipe: int) -> None:
    """So that a frame passes in a few steps: through the usual 64 kB either side waits for the other a dozen times."""
    with contextlib.suppress(OSError):  # the system's bound for one user is reached: it works all the same
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class Child:
    """One process with its two pipes. For one thread at a time."""

    def __init__(self) -> None:
        # An empty environment: nothing that this process was told gets to a child. One thread: see `leave_namespaces`.
        self._process = subprocess.Popen(  # noqa: S603 - our own file, run by our own interpreter
            [sys.executable, "-I", "-B", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"},
            close_fds=True,
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._to, self._from):
            _widen(pipe)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self.files = 0
        self._dead = False
        try:
            kind, payload = self._receive(time.monotonic() + limits.START_SECONDS)
            if kind != Type.HELLO:
                raise ChildLost
            self.isolated: Final = bool(json.loads(payload)["isolated"])
        except (ChildLost, ChildSlow):
            self.kill()
            raise RuntimeError("a file reader could not be started") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_usable(self) -> bool:
        return not self._dead and self.files < limits.RECYCLE_AFTER and self._process.poll() is None

    def kill(self) -> None:
        if self._dead:
            return
        self._dead = True
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def ask(
        self,
        operation: Operation,
        source: Source,
        arguments: dict[str, Any],
        seconds: float,
        *,
        key: str = "",
        sink: Sink | None = None,
    ) -> tuple[dict[str, Any], list[bytes]]:
        """The child's answer. ``sink`` takes the pieces of a large result as they come, before the answer says whether
        it is whole. ``key`` names the content, for a child that may know it from before; "" for one that is asked once.

        Raises ChildLost, ChildSlow, and what source or sink raise; the child is of no use then.
        """
        deadline = time.monotonic() + seconds
        request = {"operation": operation, "size": source.size, "arguments": arguments, "key": key}
        self._send(Type.REQUEST, json.dumps(request).encode(), deadline)
        self._send(Type.DATA, source.read_at(0, min(limits.HEAD_BYTES, source.size)), deadline)
        self.files += 1
        while True:
            kind, payload = self._receive(deadline)
            if kind == Type.NEED:
                if len(payload) != RANGE.size:
                    raise ChildLost
                offset, length = RANGE.unpack(payload)
                if length > limits.MAX_READ or offset + length > source.size:
                    raise ChildLost
                self._send(Type.DATA, source.read_at(offset, length), deadline)
                continue
            if kind == Type.PIECE and sink is not None:
                sink(payload)
                continue
            if kind != Type.ANSWER:
                raise ChildLost
            try:
                facts = json.loads(payload)
                count = min(int(facts.pop("blobs")), 2)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise ChildLost from None
            return facts, [self._blob(deadline) for _ in range(count)]

    def _blob(self, deadline: float) -> bytes:
        kind, payload = self._receive(deadline)
        if kind != Type.BLOB:
            raise ChildLost
        return payload

    def _send(self, kind: Type, payload: bytes, deadline: float) -> None:
        for part in (FRAME.pack(kind, len(payload)), payload):
            view = memoryview(part)
            while view:
                try:
                    view = view[os.write(self._to, view) :]
                except BlockingIOError:
                    self._wait(self._to, select.POLLOUT, deadline)
                except OSError:
                    raise ChildLost from None

    def _receive(self, deadline: float) -> tuple[int, bytes]:
        kind, length = FRAME.unpack(self._read(FRAME.size, deadline))
        if length > _BOUNDS.get(kind, limits.MAX_MESSAGE):
            raise ChildLost
        return kind, self._read(length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            try:
                count = os.readv(self._from, [view])
            except BlockingIOError:
                self._wait(self._from, select.POLLIN, deadline)
                continue
            if count == 0:
                raise ChildLost
            view = view[count:]
        return bytes(data)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poller = select.poll()
        poller.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise ChildSlow
