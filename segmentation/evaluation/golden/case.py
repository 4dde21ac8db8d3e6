"""A golden case: the inputs and numbers of one system, and how a computed array is compared with a stored one.

A system's program is a generator `compute(case)` that yields `(name, array)` for every array that it can make; the
driver looks for each stored name among them. It reads sizes, frames and the number of objects from `case.inputs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.evaluation.golden.rules import fill_network

Array = NDArray[Any]
Compute = Callable[["Case"], Iterator[tuple[str, Array]]]

RTOL = 1e-3  # float32 kernels differ between machines
ATOL_OF_RANGE = 1e-4
AGREEMENT = 0.995  # of index masks: ties of an argmax move
MASK_NAMES = ("masks", "pred")  # packed bits or ids


class GoldenError(ValueError):
    """A golden folder that cannot be used; the sentence says why."""


@dataclass(frozen=True)
class Case:
    """One case of one system, `folder`/`letter`.npz with its inputs. Letter a has seed 1, b seed 2, and so on."""

    folder: Path
    letter: str

    @property
    def system(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int:
        if len(self.letter) != 1 or not "a" <= self.letter <= "z":
            raise GoldenError(f"{self.folder.name}: case {self.letter!r} is no letter a..z, so its seed is unknown")
        return ord(self.letter) - ord("a") + 1

    @cached_property
    def inputs(self) -> dict[str, Array]:
        return _load(self.folder / f"inputs_{self.letter}.npz")

    @cached_property
    def golden(self) -> dict[str, Array]:
        return _load(self.folder / f"{self.letter}.npz")

    @property
    def frames(self) -> NDArray[np.uint8]:
        """[T, H, W, 3], RGB."""
        return self.inputs["frames"]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """[T, H, W]."""
        return self.inputs["labels"]

    @cached_property
    def num_objects(self) -> int:
        """The highest id of the masks and scribbles."""
        arrays = [array for name, array in self.inputs.items() if name != "frames"]
        return max(int(array.max()) for array in arrays)

    def fill(self, network: nn.Module, gain: float, offset: int = 0) -> None:
        """Give `network` the case's weights, after checking its keys, shapes and types against `state_dict.json`."""
        known = json.loads((self.folder / "state_dict.json").read_text())
        found = [[k, list(v.shape), str(v.dtype).removeprefix("torch.")] for k, v in network.state_dict().items()]
        if found not in known.values():
            raise GoldenError(
                f"{self.system}: no network of state_dict.json has the entries of {type(network).__name__}"
            )
        fill_network(network, self.seed + offset, gain)


def full(name: str, tensor: Tensor | Array, *steps: int) -> Iterator[tuple[str, Array]]:
    """`name` subsampled by `steps` (one for each of the last axes) and `name.stats` of the whole."""
    array = tensor.numpy() if isinstance(tensor, Tensor) else tensor
    wide = array.astype(np.float64)
    yield f"{name}.stats", np.array([wide.mean(), wide.std(), wide.min(), wide.max()])
    yield name, sampled(array, *steps)


def sampled(tensor: Tensor | Array, *steps: int) -> Array:
    """Every k-th element along the last axes."""
    array = tensor.numpy() if isinstance(tensor, Tensor) else tensor
    lead = (slice(None),) * (array.ndim - len(steps))
    return array[(*lead, *(slice(None, None, step) for step in steps))]


@dataclass(frozen=True)
class Row:
    """The verdict on one array. `error` is relative to the golden range, or for masks the share that differs."""

    system: str
    name: str
    error: float
    ok: bool
    note: str = ""


def compare(case: Case, compute: Compute) -> Iterator[Row]:
    """One row for every stored array, in the order in which the program makes them; what it does not make is a miss."""
    missing = dict(case.golden)
    for name, got in compute(case):
        if name in missing:
            yield _row(case.system, name, np.asarray(got), missing.pop(name))
    for name in missing:
        yield Row(case.system, name, float("nan"), False, "not computed")


def _row(system: str, name: str, got: Array, golden: Array) -> Row:
    if got.shape != golden.shape:
        return Row(system, name, float("nan"), False, f"shape {got.shape}, golden {golden.shape}")
    if name.rsplit(".", 1)[-1] in MASK_NAMES:
        return _mask_row(system, name, got, golden)
    got, golden = got.astype(np.float64), golden.astype(np.float64)
    largest = float(np.abs(golden).max(initial=0))
    spread = float(np.ptp(golden)) if golden.size else 0.0
    worst = float(np.abs(got - golden).max(initial=0))
    ok = bool(np.allclose(got, golden, rtol=RTOL, atol=ATOL_OF_RANGE * largest))
    return Row(system, name, worst / (spread or largest or 1.0), ok)


def _mask_row(system: str, name: str, got: Array, golden: Array) -> Row:
    if name.endswith("masks") and golden.ndim == 1:  # packed
        got, golden = np.unpackbits(got), np.unpackbits(golden)
    differs = float((got != golden).mean())
    return Row(system, name, differs, differs <= 1 - AGREEMENT, "share that differs")


def _load(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError) as error:
        raise GoldenError(f"{path}: cannot be read ({error})") from error
