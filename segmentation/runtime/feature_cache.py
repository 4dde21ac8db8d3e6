"""A cache of tensors with a limited size in memory, and optionally copies of the tensors on disk."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path
from threading import Lock, get_ident

import torch
from torch import Tensor

HOLES = 64 << 20  # freed memory is returned to the system each time that so many bytes were added
DISK_RESERVE = 1 << 30  # tensors are written to disk only if at least so many bytes stay free there
_LIBRARY = ctypes.CDLL(None)


class FeatureCache:
    """A cache of tensors that an engine has computed from frames. It may drop any tensor, which is then computed again.

    Threads may share an instance.

    Args:
        memory_bytes: the most bytes that the tensors may take in memory (of the CUDA device, if they are there). Beyond
            it, the least recently used tensors are dropped.
        folder: a new folder is created in this one, and tensors are written there too while the disk has room; `close`
            removes it. None: tensors are kept in memory only.
        first_stay: once `memory_bytes` are used, the stored tensors stay in memory and new ones are not added. This is
            for tensors that are read in the same order again and again: otherwise each would be dropped just before it
            is read.
    """

    def __init__(self, memory_bytes: int, folder: str | None = None, first_stay: bool = False) -> None:
        self.memory_bytes = memory_bytes
        self.first_stay = first_stay
        self.used = 0
        self._put = 0  # bytes that were added since freed memory was last returned to the system
        self._memory: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = Lock()
        self._folder: Path | None = None
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="features-", dir=folder))

    def __len__(self) -> int:
        return len(self._memory)

    def get(self, key: str, device: torch.device | str = "cpu") -> Tensor | None:
        """Return the tensor that was stored under `key`, or None. The caller must not write to it.

        A tensor that is only on disk is loaded to `device`.
        """
        with self._lock:
            value = self._memory.get(key)
            if value is not None:
                self._memory.move_to_end(key)
                return value
        if self._folder is None or not (path := self._folder / f"{key}.pt").exists():
            return None
        value = torch.load(path, weights_only=True, map_location=device)
        assert isinstance(value, Tensor)  # only this class writes into the folder
        self._keep(key, value)
        return value

    def put(self, key: str, value: Tensor) -> None:
        self._keep(key, value)
        self._put += value.nbytes
        if self._put > HOLES:
            self._put = 0
            give_back_holes()
        if self._folder is None:
            return
        file = self._folder / f"{key}.pt"
        if shutil.disk_usage(self._folder).free > DISK_RESERVE + value.nbytes:
            unfinished = file.with_suffix(f".{get_ident()}")  # another thread must not read an incomplete file
            torch.save(value.cpu(), unfinished)
            unfinished.replace(file)
        else:  # the disk is nearly full; an older file of this key, which holds another tensor, must not be read
            file.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Remove the tensor of `key` from memory and disk."""
        with self._lock:
            self._drop(key)
        if self._folder is not None:
            (self._folder / f"{key}.pt").unlink(missing_ok=True)

    def close(self) -> None:
        """Drop all tensors and remove the folder with their files."""
        self._memory.clear()
        self.used = 0
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _keep(self, key: str, value: Tensor) -> None:
        with self._lock:
            self._drop(key)
            room = self.memory_bytes - (self.used if self.first_stay else 0)
            if value.nbytes > room:
                return
            self._memory[key] = value
            self.used += value.nbytes
            while self.used > self.memory_bytes:
                self._drop(next(iter(self._memory)))

    def _drop(self, key: str) -> None:
        old = self._memory.pop(key, None)
        if old is not None:
            self.used -= old.nbytes


def give_back_holes() -> None:
    """Return freed memory of this process to the operating system, if the C library can (`malloc_trim` of glibc).

    Cached tensors fragment the memory that each frame allocates and frees, because an aligned tensor does not fit into
    the gap that another tensor of its size left. Without this function, ST-RNN at the paper's size with a cache of 1 GB
    took 4 GB after 450 frames.
    """
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
