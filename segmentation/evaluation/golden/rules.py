"""Makes deterministic weights and inputs for the golden comparison (see tests/golden/README.md).

A tensor of weights depends only on its key in the state dict, its shape, a seed and a gain.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

_BODY = re.compile(r"(backbone\.layer|Encoder(_[MQ])?\.res)[0-9]")
_BODY_GAIN = 0.7  # gain inside a ResNet, where a larger gain would make the activations grow from block to block
_KEPT = ("num_batches_tracked", "mean", "std")


def fill(key: str, shape: Sequence[int], seed: int, gain: float) -> NDArray[np.float32] | None:
    """Return the deterministic weights of the entry `key` of a state dict; None if it keeps its initial value.

    `gain` is the factor of He's initialisation for convolutions and linear layers outside a ResNet. Raises KeyError if
    there is no rule for such a key.
    """
    leaf = key.rsplit(".", 1)[-1]
    if leaf in _KEPT:
        return None
    random = np.random.RandomState((zlib.crc32(key.encode()) + seed) % 2**32)
    z = random.standard_normal(size=tuple(shape))
    if leaf == "running_var":
        value = 1 + 0.2 * np.abs(z)
    elif leaf == "running_mean":
        value = 0.1 * z
    elif leaf == "bias":
        value = 0.05 * z
    elif leaf == "weight" and len(shape) == 1:
        value = 1 + 0.1 * z
    elif leaf == "weight":
        he = np.sqrt(2 / np.prod(shape[1:]))
        value = (_BODY_GAIN if _BODY.search(key) else gain) * he * z
    else:
        raise KeyError(f"no rule for the entry {key!r}")
    return np.asarray(value, dtype=np.float32)


def fill_network(network: nn.Module, seed: int, gain: float) -> None:
    """Fill `network` with the deterministic weights, and put it into eval mode without gradients.

    A tensor with two names gets the value of the later name in the state dict.
    """
    for key, tensor in network.state_dict().items():
        value = fill(key, tensor.shape, seed, gain)
        if value is not None:
            tensor.copy_(torch.from_numpy(value))
    network.eval().requires_grad_(False)


def make_video(length: int, height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Return RGB frames, uint8 [T, H, W, 3]: a smooth moving pattern with integer noise."""
    random = np.random.RandomState(1000 + seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    frames = np.empty((length, height, width, 3), np.uint8)
    for t in range(length):
        waves = [127 + 60 * np.sin((x + 3 * t) / (9 + c)) + 40 * np.cos((y - 2 * t) / (7 + 2 * c)) for c in range(3)]
        noise = random.randint(-12, 13, size=(height, width, 3))
        frames[t] = np.clip(np.floor(np.stack(waves, axis=-1) + noise), 0, 255)
    return frames


def make_labels(length: int, height: int, width: int, objects: int) -> NDArray[np.uint8]:
    """Return masks, uint8 [T, H, W]: ellipses that move to the right, with higher ids on top."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    labels = np.zeros((length, height, width), np.uint8)
    for t in range(length):
        for o in range(1, objects + 1):
            centre_y, centre_x = height * (0.3 + 0.4 * ((o - 1) % 2)), width * (0.2 + 0.25 * (o - 1)) + 2 * t
            inside = ((y - centre_y) / (0.2 * height)) ** 2 + ((x - centre_x) / (0.13 * width)) ** 2 <= 1
            labels[t][inside] = o
    return labels


def make_scribble(labels: NDArray[np.uint8], objects: int, thickness: int = 2) -> NDArray[np.int8]:
    """Return the scribbles of one frame as a map of object ids, int8 [H, W], -1 elsewhere.

    They are a bar through each object and one on the background.
    """
    height, width = labels.shape
    scribble = np.full((height, width), -1, np.int8)
    scribble[1 : 1 + thickness, width // 10 : width // 2] = 0
    for o in range(1, objects + 1):
        ys, xs = np.nonzero(labels == o)
        if not ys.size:
            continue
        row, left, right = int(np.floor(ys.mean())), int(xs.min()), int(xs.max())
        quarter = (right - left) // 4
        scribble[row : row + thickness, left + quarter : right - quarter + 1] = o
    return scribble
