"""Stores prepared clips on disk, so that the features of a frozen trunk are computed once per clip."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

Prepared = dict[str, Tensor]


class ClipStore:
    """Prepared clips by (seed, number), each stored as a file of tensors in `folder`, which other runs can reuse.

    Args:
        folder: created if it is missing.
        count: the number of different clips. Clip k is stored as clip k modulo `count`.
    """

    def __init__(self, folder: Path, count: int) -> None:
        if count < 1:
            raise ValueError(f"clips: {count} kept on disk, there must be at least one")
        self.folder, self.count = folder, count
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, seed: int, number: int, make: Callable[[int], Prepared]) -> Prepared:
        """Return clip `number`. If it is not stored, `make` computes it from its number modulo `count`."""
        number %= self.count
        path = self.folder / f"{seed}-{number:06d}.safetensors"
        if path.is_file():
            return load_file(path)
        prepared = make(number)
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file({name: tensor.contiguous() for name, tensor in prepared.items()}, part)
        part.replace(path)
        return prepared
