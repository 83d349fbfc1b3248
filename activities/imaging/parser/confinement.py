"""What a child gives up before it reads a byte: network, files, processes, memory without end."""

import ctypes
import os
import resource
from typing import Final

from activities.imaging.parser.limits import ADDRESS_SPACE, CHILD_CPU_SECONDS

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_CLONE_NEWIPC: Final = 0x08000000
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38


def leave_namespaces() -> bool:
    """Into a user and network namespace of its own, where the kernel allows that to anyone. Call it with one thread.

    It also drops root's capabilities, so that the limits below cannot be raised again. Returns whether it worked; where it
    did not, the missing descriptors of ``confine`` still leave no way to open a socket.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    isolated = bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return isolated


def confine() -> None:
    """After everything is imported: no new descriptors (so no file and no socket), no processes, no core dump.

    With a limit of 0 every call that would make a descriptor fails with EMFILE; the two pipes stay open.
    """
    for limit, value in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CPU, CHILD_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.environ.clear()
