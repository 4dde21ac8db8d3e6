"""Networks that sessions share: sessions that use the same checkpoint in the same way hold one copy in memory."""

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
# Name, file, its size and modification time, device, dtype, and the function that prepared the network.
Key = tuple[str, Path, int, int, str, torch.dtype, Callable[..., nn.Module]]

_kept: WeakValueDictionary[Key, nn.Module] = (
    WeakValueDictionary()
)  # a network is freed when no session holds it any more
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
    """Load the network `name` and prepare it for inference, or return the copy that another session holds.

    The caller must not change the network. A checkpoint that has changed since is read again.

    Args:
        kind: class of the network.
        explicit: checkpoint or folder, as in `find_weights`.
        prepare: makes the network ready for a device and a dtype.

    Raises:
        WeightsMissing: there is no checkpoint.
        WeightsError: the checkpoint does not fit.
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
    """Like `shared_network`, prepared by `fast` if `precision` is "auto" and the weights are the small ones that ship.

    With other weights or a named precision the network is prepared by `plain`, and computes exactly what PyTorch does.
    """
    prepare = fast if precision == "auto" and ships(name, explicit) else plain
    return shared_network(kind, name, explicit, device, choose_precision(precision, device), prepare)
