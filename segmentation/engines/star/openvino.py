"""Compiles STAR's network with OpenVINO for a CPU, in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.engines.star.matching import CUES
from segmentation.engines.star.network import FINE, Decoder, Projection, Star
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, EXACT, compiled, replace_forward, replace_method

HEIGHT, WIDTH = 8, 12  # Size in cells of the example frame with which the network is traced; any size would do.


def compile_star(network: Star, device: torch.device, dtype: torch.dtype) -> Star:
    """Return a copy for inference, which OpenVINO computes if it can, with results that differ by rounding only."""
    ready = for_inference(network, device, dtype)
    for projection in (ready.embed, ready.context):
        _compile_projection(projection, device)
    _compile_decoder(ready.decoder, network.config.context, device)
    return ready


def _compile_projection(projection: Projection, device: torch.device) -> None:
    example = [torch.rand(1, c, HEIGHT // 2**i, WIDTH // 2**i) for i, c in enumerate(projection.channels)]
    run = compiled(projection, example, device, precision=EXACT)
    if run is not None:
        replace_forward(projection, lambda f8, f16, f32: run(f8, f16, f32)[0])


class _Coarse(nn.Module):
    """The decoder's coarse part as a module of its own, because only modules can be traced."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, context: Tensor, cues: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.coarse(context, cues)


class _Outlined(_Coarse):
    """The decoder's fine part as a module of its own."""

    def forward(self, *maps: Tensor) -> Tensor:  # type: ignore[override]
        return self.decoder.outlined(*maps)


def _compile_decoder(decoder: Decoder, context: int, device: torch.device) -> None:
    sizes = [(HEIGHT * factor, WIDTH * factor) for factor in (1, 2, 4)]
    coarse = [torch.rand(2, channels, *sizes[0]) for channels in (context, CUES)]
    fine = [torch.rand(2, channels, *sizes[0]) for channels in (decoder.out8.in_channels, 1)]
    fine += [torch.rand(2, decoder.seen4.in_channels, *sizes[1]), torch.rand(2, 3, *sizes[2])]
    fine += [torch.rand(2, FINE, *sizes[1])]
    run = compiled(_Coarse(decoder), coarse, device, precision=EXACT)
    outline = compiled(_Outlined(decoder), fine, device, precision=EXACT)
    if run is None or outline is None:
        return

    def decode(context: Tensor, cues: Tensor) -> tuple[Tensor, Tensor]:
        parts = [run(*some) for some in zip(context.split(AT_A_TIME), cues.split(AT_A_TIME), strict=True)]
        x, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return x, logits

    replace_method(decoder, "coarse", decode)
    replace_method(decoder, "outlined", lambda *maps: outline(*maps)[0])
