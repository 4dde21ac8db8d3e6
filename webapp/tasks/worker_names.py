"""The names under which workers claim tasks: host and process id."""

from __future__ import annotations

import os
import socket


def own_name() -> str:
    """Return the name of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(name: str) -> bool:
    """Return whether the worker called `name` ran on this host and no process has its id now.

    Whether a worker on another host is gone cannot be told from its name, only from its heartbeat.
    """
    host, _, pid = name.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
