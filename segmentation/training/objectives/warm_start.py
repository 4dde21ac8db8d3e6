"""Initial weights of networks, and how their batch norms are trained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from segmentation.checkpoints import read_checkpoint
from segmentation.networks.blocks import Refine, ResBlock
from segmentation.networks.deeplab import DeepLabV3Plus
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import Bottleneck

MANET, BACKBONE = "feature_extracter.", "backbone."  # prefixes of MA-Net's DeepLab and of its ResNet
RESIDUAL = 0.2  # Initial scale of residual branches, which keeps deep sums in scale without norms (De and Smith, 2020).
MEMORY, DECODER = "Encoder_M.", "Decoder."  # prefixes of STM's memory encoder and decoder
CUES = {"conv1_x": "conv1_m"}  # cues that correspond to a cue of STM
REFINEMENTS = ("RF3", "RF2")  # the refinement steps to 1/8 and to 1/4 of the size
LOGITS, UNDECIDED = 2, 0.1  # A convolution with this many outputs is the last one; the scale of its initial weights.


@dataclass(frozen=True)
class NormPlan:
    """How batch norms are trained.

    `frozen`: they stay fixed, as in the papers, whose backbones were pretrained on ImageNet. Otherwise they use the
    statistics of the batch, and from the fraction `settle` of the run on (0..1; 0 = never) their running statistics, as
    at test time. A network that alternates between kinds of input needs that, because each kind has different
    statistics.
    """

    frozen: bool = False
    settle: float = 0.0

    def settled(self, progress: float) -> bool:
        return 0.0 < self.settle <= progress


def begin(network: nn.Module, norms: NormPlan, body: str = "") -> None:
    """Initialise the weights of `network`.

    Args:
        body: path of pretrained weights, or "" for random weights. They are a ResNet with torchvision's names, for
            every encoder; or MA-Net's weights, whose DeepLab is used for every DeepLab of `network` too; or STM's
            weights (see `_take_of_stm`).

    Raises:
        ValueError: the pretrained weights do not fit.
    """
    _draw(network)
    if body:
        load_bodies(network, Path(body))
    if norms.frozen:
        for norm in _norms(network):
            norm.requires_grad_(False)


def hold_norms(network: nn.Module, norms: NormPlan, progress: float) -> None:
    """Apply `norms` to the batch norms of `network`, after it was put into training mode.

    `progress` of the run is 0..1.
    """
    if norms.frozen or norms.settled(progress):
        for norm in _norms(network):
            norm.eval()


@torch.no_grad()
def load_bodies(network: nn.Module, path: Path) -> None:
    """Copy convolutions and norms of a trained backbone into the backbones of `network`, and leave the rest unchanged.

    Raises:
        ValueError: the file cannot be read, or lacks a tensor, or has one of another shape, or nothing can take it.
    """
    found = read_checkpoint(path).tensors
    if any(key.startswith(MEMORY) for key in found):
        _take_of_stm(network, found, path)
        return
    deeplab = {key.removeprefix(MANET): tensor for key, tensor in found.items() if key.startswith(MANET)}
    if deeplab:
        stem = f"{BACKBONE}conv1.weight"
        deeplab[stem] = deeplab[stem].flip(1)  # MA-Net takes BGR images, all others take RGB.
        found = {key.removeprefix(BACKBONE): value for key, value in deeplab.items() if key.startswith(BACKBONE)}
    stages = {_stage_name(key): tensor for key, tensor in found.items()}
    encoders = [module for module in network.modules() if isinstance(module, CueEncoder)]
    deeplabs = [module for module in network.modules() if isinstance(module, DeepLabV3Plus)] if deeplab else []
    if not encoders and not deeplabs:
        raise ValueError(f"body: nothing in a {type(network).__name__} can begin with {path.name}")
    for encoder in encoders:
        own = {key: value for key, value in encoder.state_dict().items() if re.match(r"(conv1|bn1|res\d)\.", key)}
        _copy(stages, own, path)
    for module in deeplabs:
        _copy(deeplab, module.state_dict(), path)


def _take_of_stm(network: nn.Module, found: dict[str, Tensor], path: Path) -> None:
    """Copy the parts that IPN and RGMP share with STM: the encoder of a frame with its mask, up to 1/16, and the
    refinements of the decoder, except where shapes differ.

    Raises:
        ValueError: the backbones differ, or no part of `network` can take the weights.
    """
    encoders = [module for module in network.modules() if isinstance(module, CueEncoder)]
    if not encoders:
        raise ValueError(f"body: nothing in a {type(network).__name__} can begin with {path.name}")
    encoder = {key.removeprefix(MEMORY): value for key, value in found.items() if key.startswith(MEMORY)}
    for cue, like in CUES.items():
        encoder[f"{cue}.weight"] = encoder[f"{like}.weight"]
    for module in encoders:
        own = {key: tensor for key, tensor in module.state_dict().items() if key not in ("mean", "std")}
        stages = {key.split(".")[0] for key in encoder if key.startswith("res")}
        same = {key: tensor for key, tensor in own.items() if key in encoder or key.split(".")[0] in stages}
        if more := sorted(key for key in encoder if key.split(".")[0] in stages and key not in own):
            raise ValueError(f"body: {path.name} is another one: it has {more[0]}")
        _copy(encoder, same, path)
    for decoder in network.modules():
        parts = [part for part in decoder.children() if isinstance(part, Refine)]  # the coarsest first
        for part, name in zip(parts[-len(REFINEMENTS) :], REFINEMENTS, strict=False):
            own, prefix = part.state_dict(), f"{DECODER}{name}."
            for key, tensor in own.items():
                if (known := found.get(prefix + key)) is not None and known.shape == tensor.shape:
                    tensor.copy_(known)


def _copy(found: dict[str, Tensor], own: dict[str, Tensor], path: Path) -> None:
    for key, tensor in own.items():
        if key.endswith("num_batches_tracked"):
            continue
        if key not in found or found[key].shape != tensor.shape:
            has = list(found[key].shape) if key in found else "missing"
            raise ValueError(f"body: {path.name} is another one: {key} should be {list(tensor.shape)}, is {has}")
        tensor.copy_(found[key])


def _stage_name(key: str) -> str:
    """Convert a key of torchvision, which counts layers from 1, to a key of our encoders, which count stages from 2."""
    return re.sub(r"^layer(\d+)", lambda match: f"res{int(match[1]) + 1}", key)


@torch.no_grad()
def _draw(network: nn.Module) -> None:
    """Draw weights by He's initialisation, with small residual branches."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                module.bias.zero_()
            if module.weight.shape[0] == LOGITS:
                module.weight.mul_(UNDECIDED)
    for module in network.modules():
        if isinstance(module, Bottleneck):
            module.bn3.weight.fill_(RESIDUAL)
        elif isinstance(module, ResBlock):
            module.conv2.weight.mul_(RESIDUAL)


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
