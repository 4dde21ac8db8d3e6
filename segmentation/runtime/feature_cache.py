"""Tensors by frame within a byte budget: the newest in memory, all of them on disk when a folder is given."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path
from threading import Lock, get_ident

import torch
from torch import Tensor

HOLES = 64 << 20  # bytes put after which the heap's holes are given back
DISK_RESERVE = 1 << 30  # spilling stops when less than this would stay free on the disk
_LIBRARY = ctypes.CDLL(None)


class FeatureCache:
    """What an engine computed of frames and would rather not compute again. Losing an entry costs time only. Safe to
    share between threads.

    Args:
        memory_bytes: budget in memory (on a CUDA device: of that device's memory); the least recently used leave.
        folder: where everything is written too, in a folder of its own that `close` removes; None = memory only.
        first_stay: when memory is full, what is there stays and what comes is not kept. For entries that are asked for
            in turns, once each: by the time of its next turn the least recently used would always be gone.
    """

    def __init__(self, memory_bytes: int, folder: str | None = None, first_stay: bool = False) -> None:
        self.memory_bytes = memory_bytes
        self.first_stay = first_stay
        self.used = 0
        self._put = 0  # bytes since holes were given back
        self._memory: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = Lock()
        self._folder: Path | None = None
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="features-", dir=folder))

    def __len__(self) -> int:
        return len(self._memory)

    def get(self, key: str, device: torch.device | str = "cpu") -> Tensor | None:
        """The tensor that was put under `key`, bit for bit, or None. It must not be written to."""
        with self._lock:
            value = self._memory.get(key)
            if value is not None:
                self._memory.move_to_end(key)
                return value
        if self._folder is None or not (path := self._folder / f"{key}.pt").exists():
            return None
        value = torch.load(path, weights_only=True, map_location=device)
        assert isinstance(value, Tensor)  # nobody else writes here
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
            unfinished = file.with_suffix(f".{get_ident()}")  # no other thread shall read a half of it
            torch.save(value.cpu(), unfinished)
            unfinished.replace(file)
        else:  # what was written before is not this value
            file.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Nothing is kept under `key` any more."""
        with self._lock:
            self._drop(key)
        if self._folder is not None:
            (self._folder / f"{key}.pt").unlink(missing_ok=True)

    def close(self) -> None:
        """Forget everything and remove the folder."""
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
    """Let the system have the memory that this process freed and still holds; nothing where the C library cannot.

    What stays between frames breaks up the room that each frame needs and frees: an aligned tensor does not fit into
    the hole that one of its size left. With 1 GB kept, ST-RNN at the paper's size held 4 GB after 450 frames.
    """
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
