"""The key that signs cookies, kept in a file of the data folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from pathlib import Path


def read_or_make_key(path: Path) -> str:
    """Return the key in `path`, and make it first if needed. Two processes that start at once get the same key."""
    return _key_in(path) or make_key(path)


def _key_in(path: Path) -> str:
    """Return the key, or "" if there is none. A full disk or a power failure can leave an empty file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def make_key(path: Path) -> str:
    """Write a new key to `path`, readable by its owner only, unless another process has just written one."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Read the path again: while this process waited for the lock, another one may have replaced the file.
        if key := _key_in(path):
            return key
        key = secrets.token_urlsafe(50)
        descriptor, beside = tempfile.mkstemp(prefix=".secret_key-", dir=path.parent)
        try:
            with open(descriptor, "w") as file:
                file.write(key)
                file.flush()
                os.fsync(descriptor)
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    return key
