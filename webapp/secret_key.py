"""The key that signs cookies, kept in a file of the data folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from pathlib import Path


def read_or_make_key(path: Path) -> str:
    """The key in `path`, made on first use and readable by its owner alone. Two processes that race agree on one."""
    return _key_in(path) or make_key(path)


def _key_in(path: Path) -> str:
    """The key, or "" when there is none: a full disk, or a machine that lost power, may leave an empty file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def make_key(path: Path) -> str:
    """Make a key and write it to `path`, unless another process has just done so."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A process that waited for the lock reads the path again: the file that it holds open has been replaced.
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
