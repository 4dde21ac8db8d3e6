"""Lets a child process notice that its parent has ended, even if the parent was killed.

The parent keeps the writing end of a pipe that is the child's standard input. Nothing is ever written: when the parent
ends, in whatever way, the system closes its end and the child's read returns.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 3  # From SIGTERM to a forced end: a worker that computes a frame does not handle signals.


def follow_parent() -> None:
    """End this process when the process at the other end of its standard input ends."""
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="lifeline", daemon=True).start()


def _wait(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
