"""Initialises the weights of networks before training, and sets how their batch norms are trained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from segmentation.checkpoints import read_checkpoint
from segmentation.networks.blocks import Refine, ResBlock
from segmentation.networks.deeplab import DeepLabV3Plus
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import Bottleneck
from segmentation.training.trunks import refuse_another_trunk

CPU = torch.device("cpu")
Network = TypeVar("Network", bound=nn.Module)
MANET, BACKBONE = "feature_extracter.", "backbone."  # prefixes of MA-Net's DeepLab and of its ResNet
RGMP = "refinement."  # prefix of RGMP in ST-RNN's weights
RESIDUAL = 0.2  # Initial scale of residual branches, which keeps deep sums in scale without norms (De and Smith, 2020).
MEMORY, DECODER = "Encoder_M.", "Decoder."  # prefixes of STM's memory encoder and decoder
CUES = {"conv1_x": "conv1_m"}  # convolution of an extra input channel -> that of STM from which it gets its weights
REFINEMENTS = ("RF3", "RF2")  # STM's names of the decoder's modules that refine to 1/8 and to 1/4 of the size
LOGITS, UNDECIDED = 2, 0.1  # initial weights of the last convolution, which has LOGITS outputs, are scaled by UNDECIDED


@dataclass(frozen=True)
class NormPlan:
    """How batch norms are trained.

    If `frozen`, they do not change, as in the papers, whose backbones were pretrained on ImageNet. Otherwise they use
    the statistics of the batch until the fraction `settle` of the run (0..1; 0 = to the end), and then their running
    statistics, as in inference. This is for networks that get several kinds of input with different statistics.
    """

    frozen: bool = False
    settle: float = 0.0

    def settled(self, progress: float) -> bool:
        return 0.0 < self.settle <= progress


def begin(network: Network, norms: NormPlan, body: str = "", device: torch.device = CPU) -> Network:
    """Initialise the weights of `network`, and return it on `device`, with its weights in the order channels last.

    Args:
        norms: how batch norms are trained.
        body: path of a checkpoint from which backbones are initialised, or "" for random weights only. It holds a
            ResNet with torchvision's names, which every encoder gets; or MA-Net's weights, of which every encoder gets
            the ResNet and every DeepLab of `network` the DeepLab; or STM's weights (see `_take_of_stm`); or ST-RNN's
            weights, of which `network` gets RGMP.
        device: the device on which the network is trained.

    Raises:
        ValueError: the checkpoint has other layers or shapes, or was trained on another trunk.
    """
    _draw(network)
    if body:
        load_bodies(network, Path(body))
    if norms.frozen:
        for norm in _norms(network):
            norm.requires_grad_(False)
    on_device: Network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return on_device


def hold_norms(network: nn.Module, norms: NormPlan, progress: float) -> None:
    """Set the batch norms of `network` as `norms` says. Call it after `network.train()`.

    `progress` is the progress of the run, 0..1.
    """
    if norms.frozen or norms.settled(progress):
        for norm in _norms(network):
            norm.eval()


@torch.no_grad()
def load_bodies(network: nn.Module, path: Path) -> None:
    """Copy the weights of a trained backbone, in the checkpoint `path`, into the backbones of `network` (see `begin`).

    Raises:
        ValueError: the file cannot be read, lacks a tensor or has a tensor of another shape, it was trained on another
            trunk, or `network` has no backbone of this kind.
    """
    checkpoint = read_checkpoint(path)
    found = checkpoint.tensors
    if any(key.startswith(MEMORY) for key in found):
        _take_of_stm(network, found, path)
        return
    if refinement := {key: tensor for key, tensor in found.items() if key.startswith(RGMP)}:
        own = {key: tensor for key, tensor in network.state_dict().items() if key.startswith(RGMP)}
        if not own:
            raise ValueError(f"body: nothing in a {type(network).__name__} can begin with {path.name}")
        _copy(refinement, own, path)
        return
    refuse_another_trunk(network, checkpoint)  # STM and RGMP have ResNets of their own, and nothing of a trunk.
    deeplab = {key.removeprefix(MANET): tensor for key, tensor in found.items() if key.startswith(MANET)}
    stem = f"{BACKBONE}conv1.weight"
    if stem in deeplab:  # With the frozen trunk as its backbone, there is no ResNet.
        deeplab[stem] = deeplab[stem].flip(1)  # MA-Net takes BGR images, all others take RGB.
        found = {key.removeprefix(BACKBONE): value for key, value in deeplab.items() if key.startswith(BACKBONE)}
    stages = {_stage_name(key): tensor for key, tensor in found.items()}
    encoders = [module for module in network.modules() if isinstance(module, CueEncoder)]
    deeplabs = [module for module in network.modules() if isinstance(module, DeepLabV3Plus)] if deeplab else []
    if not encoders and not deeplabs:
        raise ValueError(f"body: nothing in a {type(network).__name__} can begin with {path.name}")
    if deeplab and stem not in deeplab and (encoders or any(_has_resnet(module) for module in deeplabs)):
        raise ValueError(
            f"body: {path.name} was trained on the frozen trunk and has no ResNet, but this {type(network).__name__} "
            "needs one: give weights with a ResNet, or train a plan on the trunk"
        )
    for encoder in encoders:
        own = {key: value for key, value in encoder.state_dict().items() if re.match(r"(conv1|bn1|res\d)\.", key)}
        _copy(stages, own, path)
    for module in deeplabs:
        _copy(deeplab, module.state_dict(), path)


def _has_resnet(deeplab: DeepLabV3Plus) -> bool:
    return any(True for _ in deeplab.backbone.parameters())  # The trunk is no parameter of a network.


def _take_of_stm(network: nn.Module, found: dict[str, Tensor], path: Path) -> None:
    """Copy weights of STM into a network of a similar structure, such as IPN.

    These are STM's memory encoder (the encoder of a frame with its mask, to 1/16 of the size), and the refinement
    modules of its decoder where the shapes are equal. `found` are the tensors of the checkpoint `path`.

    Raises:
        ValueError: the backbones differ, or `network` has no such encoder.
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
    """Convert a key of torchvision's ResNet to that of our encoders: layer1, layer2, ... are called res2, res3, ..."""
    return re.sub(r"^layer(\d+)", lambda match: f"res{int(match[1]) + 1}", key)


@torch.no_grad()
def _draw(network: nn.Module) -> None:
    """Set all weights to random values by He's initialisation, with smaller values in residual branches."""
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
