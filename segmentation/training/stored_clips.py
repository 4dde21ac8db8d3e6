"""Prepared clips on disk: what a frozen trunk makes of a clip is computed once, however often it is learned from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

Prepared = dict[str, Tensor]


class ClipStore:
    """Clips of a run by (seed, number), each a file of tensors in `folder`; a run that is repeated finds them there.

    Args:
        folder: is made if it is missing.
        count: how many different clips there are; later numbers begin again with the first.
    """

    def __init__(self, folder: Path, count: int) -> None:
        if count < 1:
            raise ValueError(f"clips: {count} kept on disk, there must be at least one")
        self.folder, self.count = folder, count
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, seed: int, number: int, make: Callable[[int], Prepared]) -> Prepared:
        """Clip `number`, made by `make` (which gets its number among the kept ones) where it is not there yet."""
        number %= self.count
        path = self.folder / f"{seed}-{number:06d}.safetensors"
        if path.is_file():
            return load_file(path)
        prepared = make(number)
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file({name: tensor.contiguous() for name, tensor in prepared.items()}, part)
        part.replace(path)
        return prepared
