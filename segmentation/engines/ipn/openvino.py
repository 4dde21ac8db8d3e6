"""Compiles both networks of IPN by OpenVINO for a CPU. Cropping to regions and warping back stay in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.engines.ipn.network import Inet, Pnet, RegionOutputs
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, EXACT, compiled


def compile_inet(network: Inet, device: torch.device, dtype: torch.dtype) -> Inet:
    """Return a copy for inference, which OpenVINO computes if it can, with results that differ by rounding only."""
    ready = for_inference(network, device, dtype)
    _run_on_regions_with_openvino(ready, device)
    return ready


def compile_pnet(network: Pnet, device: torch.device, dtype: torch.dtype) -> Pnet:
    """Return a copy for inference, which OpenVINO computes if it can, with results that differ by rounding only."""
    ready = for_inference(network, device, dtype)
    size, deepest = network.config.region.size // 32, network.config.body.channels[-1]
    _run_on_regions_with_openvino(ready, device, torch.rand(2, deepest, size, size))
    return ready


def _run_on_regions_with_openvino(network: Inet | Pnet, device: torch.device, *reference: Tensor) -> None:
    size, cues = network.config.region.size, len(network.Encoder.cues)
    example = torch.rand(2, 3, size, size), torch.rand(2, cues, size, size), *reference
    run = compiled(_OnRegions(network), example, device, precision=EXACT)
    if run is None:
        return

    def on_regions(*inputs: Tensor) -> RegionOutputs:
        parts = zip(*(tensor.split(AT_A_TIME) for tensor in inputs), strict=True)
        logits, deepest = (torch.cat(found) for found in zip(*(run(*part) for part in parts), strict=True))
        return (logits,), deepest

    network.on_regions = on_regions  # type: ignore[assignment,method-assign]


class _OnRegions(nn.Module):
    """The part of a network that is compiled.

    It computes the logits at full size and the encoder's deepest features of square regions of a frame.
    """

    def __init__(self, network: Inet | Pnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        logits, deepest = self.network.on_regions(*inputs)
        return logits[0], deepest
