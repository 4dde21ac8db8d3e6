"""Stores prepared clips on disk, so that the features of a frozen trunk are computed once per clip."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

Prepared = dict[str, Tensor]


class ClipStore:
    """Prepared clips by (key, number), each stored as a file of tensors in `folder`, which other runs can reuse.

    Objectives that store different parts of the same clips can share a folder: a stored clip that lacks a part is made
    again, and only the parts that are needed are read.

    Args:
        folder: created if it is missing.
        count: the number of different clips. Clip k is stored as clip k modulo `count`.
        parts: the names of the tensors that a prepared clip needs.

    Raises:
        ValueError: `count` is less than 1.
    """

    def __init__(self, folder: Path, count: int, parts: frozenset[str]) -> None:
        if count < 1:
            raise ValueError(f"clips: {count} kept on disk, there must be at least one")
        self.folder, self.count, self.parts = folder, count, parts
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str, number: int, make: Callable[[int], Prepared]) -> Prepared:
        """Return the prepared clip with the index `number` modulo `count`. If it is not stored, `make(index)` makes it.

        `key` is a part of its file name, and must differ for clips that are made in different ways.
        """
        number %= self.count
        path = self.folder / f"{key}-{number:06d}.safetensors"
        if path.is_file() and (stored := self._read(path)) is not None:
            return stored
        prepared = make(number)
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file({name: tensor.contiguous() for name, tensor in prepared.items()}, part)
        part.replace(path)
        return prepared

    def _read(self, path: Path) -> Prepared | None:
        """Return the parts of a stored clip that are needed, or None if the file lacks one of them."""
        with safe_open(path, framework="pt", device="cpu") as file:
            if not self.parts <= set(file.keys()):
                return None
            return {name: file.get_tensor(name) for name in self.parts}
