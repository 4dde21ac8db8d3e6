"""How a child process notices that its parent is gone, even when the parent was killed and could say nothing.

The parent keeps the writing end of a pipe that is the child's standard input. Nothing is ever written: when the parent
ends, in whatever way, the system closes its end and the child's read returns.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 3  # for an orderly end; a worker in the middle of a frame does not look at signals


def follow_parent() -> None:
    """From now on this process ends when the one that holds the other end of its standard input does."""
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="lifeline", daemon=True).start()


def _wait(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
