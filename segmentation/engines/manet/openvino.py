"""Compiles the embedding network and both heads of MA-Net by OpenVINO for a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.engines.manet.network import MANet, SharedHead, for_inference
from segmentation.runtime.openvino import EXACT, compiled, replace_forward

HEIGHT, WIDTH = 64, 80  # Size of the example frame for tracing; any size would do.
CUES = {"dynamic_seghead": 3, "inter_seghead": 2}  # For each head, the number of maps of an id beside the embedding.


def compile_manet(network: MANet, device: torch.device, dtype: torch.dtype) -> MANet:
    """Return a copy of the network that OpenVINO computes in float32. Its results differ by rounding only."""
    ready = for_inference(network, device, dtype)
    embed = compiled(_Embed(ready), (torch.rand(1, 3, HEIGHT, WIDTH),), device, precision=EXACT)
    for name, cues in CUES.items():
        _head_with(ready, name, torch.rand(2, cues, HEIGHT // 4, WIDTH // 4), device)
    if embed is not None:
        ready.embed = lambda images: embed(images)[0]  # type: ignore[method-assign]
    return ready


def _head_with(network: MANet, name: str, cues: Tensor, device: torch.device) -> None:
    head = network.get_submodule(name)
    assert isinstance(head, SharedHead)
    example = torch.rand(1, head.shared, *cues.shape[2:]), cues
    run = compiled(_Head(head), example, device, precision=EXACT)
    if run is not None:
        replace_forward(head, lambda embedding, cues: run(embedding[None], cues)[0])


class _Embed(nn.Module):
    def __init__(self, network: MANet) -> None:
        super().__init__()
        self.body, self.embedding = network.feature_extracter, network.semantic_embedding

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.embedding(self.body(images))
        return out


class _Head(nn.Module):
    """Wraps a head so that it takes an embedding of the shape [1, C, h, w], as OpenVINO needs the first axis."""

    def __init__(self, head: SharedHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, embedding: Tensor, cues: Tensor) -> Tensor:
        return self.head.logits(embedding, cues)
