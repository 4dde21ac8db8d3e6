"""Networks as sessions compute with them: one copy in memory for all that use the same file in the same way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

import torch
from torch import nn

from segmentation.checkpoints import load_network
from segmentation.runtime.device import choose_precision
from segmentation.weights import find_weights, ships

Network = TypeVar("Network", bound=nn.Module)
Prepare = Callable[[Network, torch.device, torch.dtype], Network]
# Name, file, its size and time of change, device, number format, and how it is made ready.
Key = tuple[str, Path, int, int, str, torch.dtype, Callable[..., nn.Module]]

_kept: WeakValueDictionary[Key, nn.Module] = WeakValueDictionary()  # as long as a session holds one
_locks: dict[Key, threading.Lock] = {}  # who wants one network need not wait until another one is ready


def shared_network(
    kind: type[Network],
    name: str,
    explicit: str | Path | None,
    device: torch.device,
    dtype: torch.dtype,
    prepare: Prepare[Network],
) -> Network:
    """The network `name` with the weights that `find_weights` names, made ready by `prepare`.

    Nobody may change it: others compute with it too. A file that was changed is read anew.

    Raises:
        WeightsMissing: no file; WeightsError: one that does not fit.
    """
    path = find_weights(name, explicit)
    stat = path.stat()
    key = (name, path.resolve(), stat.st_size, stat.st_mtime_ns, str(device), dtype, prepare)
    with _locks.setdefault(key, threading.Lock()):
        network = _kept.get(key)
        if network is None:
            loaded = load_network(name, explicit)
            assert isinstance(loaded, kind)  # by its spec
            network = _kept[key] = prepare(loaded, device, dtype)
    assert isinstance(network, kind)
    return network


def fastest_network(
    kind: type[Network],
    name: str,
    explicit: str | Path | None,
    device: torch.device,
    precision: str,
    plain: Prepare[Network],
    fast: Prepare[Network],
) -> Network:
    """`shared_network`, made ready by `fast` if `precision` is "auto" and the weights are the small ones that ship.

    Published weights, and those that were named, compute as PyTorch does, to the last digits.
    """
    prepare = fast if precision == "auto" and ships(name, explicit) else plain
    return shared_network(kind, name, explicit, device, choose_precision(precision, device), prepare)
