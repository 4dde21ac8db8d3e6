"""A golden case: the inputs and stored arrays of one system, and how a computed array is compared with a stored one.

Each system has a generator `compute(case)` that yields `(name, array)` for each array that it can compute.
Frames and sizes come from `case.inputs`. The number of objects also depends on the stored arrays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.evaluation.golden.aggregated import Bounds
from segmentation.evaluation.golden.rules import fill_network

Array = NDArray[Any]
Compute = Callable[["Case"], Iterator[tuple[str, Array]]]

RTOL = 1e-3  # float32 kernels differ between processors
ATOL_OF_RANGE = 1e-4
AGREEMENT = 0.995  # least fraction of equal pixels in masks, where rounding may decide the argmax of equal scores
MASK_NAMES = ("masks", "pred")  # arrays of packed bits or object ids
# Arrays whose shape gives the number of objects: the axis, and how many of its entries are not objects.
OBJECT_AXES = {
    "M0.in_m": (0, 0),
    "M0.key": (0, 0),
    "Q2.decoder_logits": (0, 0),
    "merged.softmax": (0, 1),
    "obj_ids": (0, 1),
    "global_map": (-1, 1),
    "prop_head": (0, 1),
}


class GoldenError(ValueError):
    """A folder with golden cases cannot be used. The message says why."""


@dataclass(frozen=True)
class Case:
    """A golden case of one system, stored in `folder`/`letter`.npz and a file of inputs.

    The letter gives the seed of its weights and inputs: a means 1, b means 2, and so on.
    """

    folder: Path
    letter: str
    absent: set[str] = field(default_factory=set, compare=False)  # JSON files that were needed but do not exist

    @property
    def system(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int:
        if len(self.letter) != 1 or not "a" <= self.letter <= "z":
            raise GoldenError(f"{self.folder.name}: case {self.letter!r} is no letter a..z, so its seed is unknown")
        return ord(self.letter) - ord("a") + 1

    @property
    def inputs_path(self) -> Path:
        return self.folder / f"inputs_{self.letter}.npz"

    @property
    def golden_path(self) -> Path:
        return self.folder / f"{self.letter}.npz"

    @cached_property
    def inputs(self) -> dict[str, Array]:
        return _load(self.inputs_path)

    @cached_property
    def golden(self) -> dict[str, Array]:
        return _load(self.golden_path)

    def stored(self, name: str, shape: Sequence[int] | None = None) -> Array | None:
        """Return the stored (golden) array `name`, or None if it does not exist or has another shape than `shape`."""
        array = self.golden.get(name) if self.golden_path.exists() else None
        return array if array is not None and shape in (None, array.shape) else None

    def known(self, name: str) -> Any:
        """Return the content of the JSON file `name`. If it does not exist, return None and add it to `absent`.

        Raises GoldenError if it is not JSON.
        """
        path = self.folder / name
        if not path.exists():
            self.absent.add(name)
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise GoldenError(f"{path}: cannot be read ({error})") from error

    @property
    def frames(self) -> NDArray[np.uint8]:
        """The RGB frames, uint8 [T, H, W, 3]."""
        return self.inputs["frames"]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The ground truth, uint8 [T, H, W]."""
        return self.inputs["labels"]

    @cached_property
    def num_objects(self) -> int:
        """The number of objects, from the masks, the scribbles and the stored arrays.

        An object outside the frame is in no mask, but the official code computed arrays for it too.
        """
        drawn = [int(array.max()) for name, array in self.inputs.items() if name != "frames"]
        stored = self.golden if self.golden_path.exists() else {}
        return max([*drawn, *(_objects_of(name, array) for name, array in stored.items())])

    def fill(self, network: nn.Module, gain: float, offset: int = 0) -> None:
        """Fill `network` with deterministic weights, which depend on the case's seed and on the keys of the network.

        The keys, shapes and dtypes are checked against `state_dict.json` first, if that file exists: GoldenError is
        raised if no network in it has exactly these, in this order.
        """
        known = self.known("state_dict.json")
        found = [[k, list(v.shape), str(v.dtype).removeprefix("torch.")] for k, v in network.state_dict().items()]
        if known is not None and not (isinstance(known, dict) and found in known.values()):
            raise GoldenError(
                f"{self.system}: no network of state_dict.json has the entries of {type(network).__name__}"
            )
        fill_network(network, self.seed + offset, gain)


def _objects_of(name: str, array: Array) -> int:
    """Return the number of objects that the name or the shape of a stored array implies, or 0 if it implies none."""
    prefix = re.match(r"obj(\d+)\.", name)
    if prefix:
        return int(prefix[1])
    if name not in OBJECT_AXES or array.ndim == 0:
        return 0
    axis, others = OBJECT_AXES[name]
    return array.shape[axis] - others


class BoundedArray(np.ndarray[Any, Any]):
    """An array with bounds: beyond the usual tolerance, each element may differ within `low`..`high` because of
    rounding.
    """

    low: Array
    high: Array


def bounded(array: Array, bounds: Bounds) -> BoundedArray:
    """Return an array with bounds: the lowest and the highest allowed value of each element."""
    found = array.view(BoundedArray)
    found.low, found.high = bounds
    return found


def full(name: str, tensor: Tensor | Array, *steps: int, bounds: Bounds | None = None) -> Iterator[tuple[str, Array]]:
    """Yield (`name`.stats, statistics of the whole array), then (`name`, the array subsampled by `steps`).

    `steps` are those of the last axes, as in `sampled`.

    Args:
        bounds: the lowest and highest value of each element, for arrays that rounding may change a lot.
    """
    array = tensor.numpy() if isinstance(tensor, Tensor) else tensor
    stats = _stats(array)
    yield f"{name}.stats", stats if bounds is None else bounded(stats, _stats_bounds(array, bounds))
    yield name, sampled(array, *steps, bounds=bounds)


def _stats(array: Array) -> NDArray[np.float64]:
    """Return the mean, standard deviation, minimum and maximum of an array."""
    wide = array.astype(np.float64)
    return np.array([wide.mean(), wide.std(), wide.min(), wide.max()])


def _stats_bounds(array: Array, bounds: Bounds) -> Bounds:
    """Return bounds of `_stats(array)` for an array whose elements may lie anywhere within `bounds`.

    A standard deviation changes at most by the root mean square of the changes of the elements.
    """
    low, high = bounds
    change = float(np.sqrt(np.square(np.maximum(array - low, high - array)).mean()))
    deviation = float(array.astype(np.float64).std())
    return (
        np.array([low.mean(), deviation - change, low.min(), low.max()]),
        np.array([high.mean(), deviation + change, high.min(), high.max()]),
    )


def sampled(tensor: Tensor | Array, *steps: int, bounds: Bounds | None = None) -> Array:
    """Return every `steps[i]`-th element of an array, and of its bounds, along the last len(`steps`) axes."""
    array = tensor.numpy() if isinstance(tensor, Tensor) else tensor
    lead = (slice(None),) * (array.ndim - len(steps))
    kept = (*lead, *(slice(None, None, step) for step in steps))
    return array[kept] if bounds is None else bounded(array[kept], (bounds[0][kept], bounds[1][kept]))


def carried(ours: Array, stored: Array | None) -> Array:
    """Return the mask that the next step uses: the stored mask if ours agrees with it, otherwise ours.

    Where two scores are nearly equal, rounding decides the id of a pixel. Such pixels are within the tolerance of the
    mask, but as inputs to the next frame they would change all later arrays. So the stored mask is used. If our mask is
    wrong by more than the tolerance, it is used itself, so that the error shows in later arrays too.
    """
    if stored is None or stored.shape != ours.shape or _differing(ours, stored) > 1 - AGREEMENT:
        return ours
    return stored


@dataclass(frozen=True)
class Row:
    """The result of comparing one computed array with the stored (golden) array.

    `error` is the largest difference relative to the range of the stored values; for masks it is the fraction of
    different pixels.
    """

    system: str
    name: str
    error: float
    ok: bool
    note: str = ""


def compare(case: Case, compute: Compute) -> Iterator[Row]:
    """Compare all arrays of a case: yield a row for each stored array, in the order in which `compute` yields them.

    A stored array that `compute` does not yield gives a failing row, and so does a case without stored arrays.
    """
    for path in (case.golden_path, case.inputs_path):
        if not path.exists():
            yield Row(case.system, path.name, float("nan"), False, "not there, so the case cannot be compared")
            return
    if not case.golden:
        yield Row(case.system, case.golden_path.name, float("nan"), False, "holds no arrays")
        return
    missing = dict(case.golden)
    for name, got in compute(case):
        if name in missing:
            yield _row(case.system, name, got, missing.pop(name))
    for name in missing:
        yield Row(case.system, name, float("nan"), False, "not computed")


def _row(system: str, name: str, got: Array, golden: Array) -> Row:
    if got.shape != golden.shape:
        return Row(system, name, float("nan"), False, f"shape {got.shape}, golden {golden.shape}")
    if name.rsplit(".", 1)[-1] in MASK_NAMES:
        return _mask_row(system, name, got, golden)
    wide, golden = np.asarray(got, np.float64), golden.astype(np.float64)
    largest = float(np.abs(golden).max(initial=0))
    spread = float(np.ptp(golden)) if golden.size else 0.0
    worst = float(np.abs(wide - golden).max(initial=0))
    close = np.isclose(wide, golden, rtol=RTOL, atol=ATOL_OF_RANGE * largest)
    if isinstance(got, BoundedArray):
        close |= (got.low <= golden) & (golden <= got.high)
    return Row(system, name, worst / (spread or largest or 1.0), bool(close.all()))


def _mask_row(system: str, name: str, got: Array, golden: Array) -> Row:
    if name.endswith("masks") and golden.ndim == 1:  # the masks are stored as packed bits
        got, golden = np.unpackbits(got), np.unpackbits(golden)
    differs = _differing(got, golden)
    return Row(system, name, differs, differs <= 1 - AGREEMENT, "share that differs")


def _differing(got: Array, golden: Array) -> float:
    return float((got != golden).mean())


class _Arrays(dict[str, Array]):
    """The arrays of a file. Reading an array that the file lacks raises GoldenError with the name of the file."""

    def __init__(self, path: Path, arrays: dict[str, Array]) -> None:
        super().__init__(arrays)
        self.path = path

    def __missing__(self, name: str) -> Array:
        raise GoldenError(f"{self.path}: holds no array {name!r}")


def _load(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as data:
            return _Arrays(path, {name: data[name] for name in data.files})
    except Exception as error:  # a damaged archive may raise errors of zipfile, zlib or NumPy
        raise GoldenError(f"{path}: cannot be read ({error})") from error
