"""Lists the parts of STAR whose speed `measure_engines runtimes` measures separately: its decoder and the cutter."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from segmentation.checkpoints import load_network
from segmentation.cutter.refinement import NUM_CUES, SIDE
from segmentation.evaluation.measure_engines.parts import TRUNK_FRAME, Applied, Part
from segmentation.runtime.folding import for_inference
from segmentation.weights import shipped_folder


def shipped_parts() -> list[Part]:
    """Return STAR's decoder and the cutter, with the weights that come with the program, and example inputs."""
    cues = torch.rand(2, NUM_CUES, SIDE, SIDE)
    cutter = Applied(_loaded("star-cut"), lambda m, x: m(x, cues.to(x.dtype)))
    return [_decoder(_loaded("star")), ("STAR, cutter", cutter, torch.rand(2, 3, SIDE, SIDE))]


def _decoder(star: Any) -> Part:
    """Return the decoder of STAR for one object as a part to measure.

    Its measured input are the cues; the features of the frame are random and stay the same.
    """
    height, width = TRUNK_FRAME
    convolutions = star.decoder.enter, star.decoder.seen4, star.decoder.seen2
    cues = convolutions[0].in_channels - star.config.context
    fine = star.decoder.up4.in_channels - star.config.widths[0] - convolutions[1].out_channels
    channels = star.config.context, convolutions[1].in_channels, convolutions[2].in_channels
    seen = [torch.rand(1, c, height // s, width // s) for c, s in zip(channels, (8, 4, 2), strict=True)]
    carried = torch.rand(1, fine, height // 4, width // 4)

    def decode(decoder: nn.Module, x: Tensor) -> Any:
        context, f4, colours = (part.to(x.dtype) for part in seen)
        return decoder((context, f4, colours), x, carried.to(x.dtype))

    return "STAR, decoder", Applied(star.decoder, decode), torch.rand(1, cues, height // 8, width // 8)


def _loaded(name: str) -> Any:
    return for_inference(load_network(name, shipped_folder(name)), torch.device("cpu"), torch.float32)
