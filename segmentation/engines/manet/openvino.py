"""Compiles the embedding network and both heads of MA-Net by OpenVINO for a CPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from segmentation.engines.manet.network import MANet, SharedHead, for_inference
from segmentation.networks.trunk_backbone import TrunkBackbone
from segmentation.runtime.openvino import EXACT, compiled, replace_forward

HEIGHT, WIDTH = 64, 80  # Size of the example frame for tracing; any size would do.
CUES = {"dynamic_seghead": 3, "inter_seghead": 2}  # For each head, the number of maps of an id beside the embedding.


def compile_manet(network: MANet, device: torch.device, dtype: torch.dtype) -> MANet:
    """Return a copy for inference, which OpenVINO computes if it can, with results that differ by rounding only."""
    ready = for_inference(network, device, dtype)
    embed = _compiled_embedding(ready, device)
    for name, cues in CUES.items():
        _head_with(ready, name, torch.rand(2, cues, HEIGHT // 4, WIDTH // 4), device)
    if embed is not None:
        ready.embed = embed  # type: ignore[method-assign, assignment]
    return ready


def _compiled_embedding(network: MANet, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return the function `MANet.embed` compiled by OpenVINO, or None if OpenVINO cannot be used.

    The pretrained trunk is compiled separately, because all engines of a process share it.
    """
    backbone = network.feature_extracter.backbone
    if not isinstance(backbone, TrunkBackbone):
        run = compiled(_Embed(network), (torch.rand(1, 3, HEIGHT, WIDTH),), device, precision=EXACT)
        return None if run is None else lambda images: run(images)[0]
    example = [
        torch.rand(1, channels, HEIGHT // stride, WIDTH // stride)
        for channels, stride in zip(backbone.config.channels, (4, 16), strict=True)
    ]
    after = compiled(_EmbedFeatures(network), example, device, precision=EXACT)
    return None if after is None else lambda images: after(*backbone(images))[0]


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


class _EmbedFeatures(nn.Module):
    """Computes the embedding from the features of the backbone at 1/4 and at 1/16 of the image's size."""

    def __init__(self, network: MANet) -> None:
        super().__init__()
        self.body, self.embedding = network.feature_extracter, network.semantic_embedding

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        out: Tensor = self.embedding(self.body.from_features(fine, coarse))
        return out


class _Head(nn.Module):
    """Calls a head with an embedding [1, C, h, w] instead of [C, h, w], because OpenVINO needs a batch axis."""

    def __init__(self, head: SharedHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, embedding: Tensor, cues: Tensor) -> Tensor:
        return self.head.logits(embedding, cues)
