"""Compiles the backbones of ST-RNN and RGMP, which propagates masks, by OpenVINO for a CPU.

The RNN stays in PyTorch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.engines.strnn.network import STRNN, Branch, for_inference
from segmentation.engines.strnn.refinement import Refinement
from segmentation.networks.deeplab import DeepLabV3Plus
from segmentation.networks.trunk_backbone import TrunkBackbone
from segmentation.runtime.openvino import AT_A_TIME, EXACT, compiled, replace_forward

HEIGHT, WIDTH = 64, 80  # Size of the example frame for tracing; any size would do.


def compile_strnn(network: STRNN, device: torch.device, dtype: torch.dtype) -> STRNN:
    """Return a copy for inference, whose backbones and RGMP are computed by OpenVINO if it can be used.

    RGMP and backbones on the pretrained trunk run in float32. Other backbones run in bfloat16 if the processor supports
    it.
    """
    ready = for_inference(network, device, dtype)
    for branch in ready.branches:
        assert isinstance(branch, Branch)
        _body_with_openvino(branch.body, device)
    if ready.refinement is not None:
        _refine_with_openvino(ready.refinement, device)
    return ready


def _body_with_openvino(body: nn.Module, device: torch.device) -> None:
    """Let OpenVINO compute a backbone. The pretrained trunk is compiled separately; all engines of a process share it.

    It runs in float32, and the layers after it too.
    """
    if isinstance(body, DeepLabV3Plus) and isinstance(backbone := body.backbone, TrunkBackbone):
        example = [
            torch.rand(1, channels, HEIGHT // stride, WIDTH // stride)
            for channels, stride in zip(backbone.config.channels, (4, 16), strict=True)
        ]
        after = compiled(_AfterTrunk(body), example, device, precision=EXACT)
        if after is not None:
            replace_forward(body, lambda images: after(*backbone(images))[0])
        return
    run = compiled(_Body(body), (torch.rand(1, 3, HEIGHT, WIDTH),), device)
    if run is not None:
        replace_forward(body, lambda images: run(images)[0])


def _refine_with_openvino(refinement: Refinement, device: torch.device) -> None:
    known = torch.rand(1, 3, HEIGHT, WIDTH), torch.rand(2, 1, HEIGHT, WIDTH)
    stride, deepest = refinement.stride, refinement.config.body.channels[-1]
    references = torch.rand(2, deepest, HEIGHT // stride, WIDTH // stride)
    encode = compiled(_Encode(refinement), known, device, precision=EXACT)
    propagate = compiled(_Propagate(refinement), (*known, references), device, precision=EXACT)
    if encode is None or propagate is None:
        return

    def encoded(image: Tensor, masks: Tensor) -> Tensor:
        return torch.cat([encode(image, part)[0] for part in masks.split(AT_A_TIME)])

    def propagated(image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        parts = zip(masks.split(AT_A_TIME), references.split(AT_A_TIME), strict=True)
        return torch.cat([propagate(image, *part)[0] for part in parts])

    refinement.encode = encoded  # type: ignore[method-assign]
    refinement.propagate = propagated  # type: ignore[method-assign]


class _Body(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, images: Tensor) -> Tensor:
        features = self.body(images)
        out: Tensor = features[-1] if isinstance(features, list) else features
        return out


class _AfterTrunk(nn.Module):
    """Computes what DeepLabv3+ computes from the features of its backbone."""

    def __init__(self, body: DeepLabV3Plus) -> None:
        super().__init__()
        self.body = body

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        return self.body.from_features(fine, coarse)


class _Encode(nn.Module):
    def __init__(self, refinement: Refinement) -> None:
        super().__init__()
        self.refinement = refinement

    def forward(self, image: Tensor, masks: Tensor) -> Tensor:
        return self.refinement.encode(image, masks)


class _Propagate(_Encode):
    def forward(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:  # type: ignore[override]
        return self.refinement.propagate(image, masks, references)
