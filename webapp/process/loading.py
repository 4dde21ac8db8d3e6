"""Switches Python's garbage collector off while modules are imported.

Importing leaves hardly any garbage, and looking for it would make a process start more slowly.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Switch the garbage collector off within the block. It never looks at objects that exist when the block
    ends (`gc.freeze`).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
