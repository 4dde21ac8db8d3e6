"""Loads networks so that sessions with the same checkpoint, device and dtype share one copy in memory."""

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
# Name of the network, checkpoint, its size and modification time, device, dtype, and the function `prepare`.
Key = tuple[str, Path, int, int, str, torch.dtype, Callable[..., nn.Module]]

_kept: WeakValueDictionary[Key, nn.Module] = (
    WeakValueDictionary()
)  # a network is freed when no session uses it any more
_locks: dict[
    Key, threading.Lock
] = {}  # one lock for each network, so that different ones can be loaded at the same time


def shared_network(
    kind: type[Network],
    name: str,
    explicit: str | Path | None,
    device: torch.device,
    dtype: torch.dtype,
    prepare: Prepare[Network],
) -> Network:
    """Load the network `name` and prepare it for inference, or return the copy that another session uses already.

    The caller must not change the network. If the checkpoint file has changed, it is read again.

    Args:
        kind: the class of the network.
        explicit: a checkpoint or a folder, as in `find_weights`.
        prepare: returns the network as it is used on a device and in a dtype, for example with batch norms merged.

    Raises:
        WeightsMissing: there is no checkpoint.
        WeightsError: the checkpoint does not belong to this network.
    """
    path = find_weights(name, explicit)
    stat = path.stat()
    key = (name, path.resolve(), stat.st_size, stat.st_mtime_ns, str(device), dtype, prepare)
    with _locks.setdefault(key, threading.Lock()):
        network = _kept.get(key)
        if network is None:
            loaded = load_network(name, explicit)
            assert isinstance(loaded, kind)  # the spec of the network names this class
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
    """Return a network as `shared_network` does, prepared for speed if its results need not match PyTorch exactly.

    It is prepared by `fast` if `precision` is "auto" and the weights are the small ones that ship with Maskwright. With
    other weights or another `precision` it is prepared by `plain`, and computes exactly what PyTorch does.
    """
    prepare = fast if precision == "auto" and ships(name, explicit) else plain
    return shared_network(kind, name, explicit, device, choose_precision(precision, device), prepare)
