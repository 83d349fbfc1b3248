"""Ties a child's life to its parent's, so that nothing is left running when the parent is killed with -9."""

import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> Callable[[], None] | None:
    """A ``preexec_fn`` that asks Linux to kill the child once the calling thread's process is gone; None elsewhere.

    Call it, and start the child, on a thread that lives as long as the process: the kernel watches the thread. The library
    is loaded here, before the fork, so that the child itself only makes two system calls.
    """
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have died between the fork and the call above.
        if os.getppid() != parent:
            os._exit(1)

    return tie
