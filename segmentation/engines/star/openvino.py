"""Compiles STAR's network with OpenVINO for a CPU, in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.engines.star.matching import CUES
from segmentation.engines.star.network import FINE, Decoder, Projection, Star
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, EXACT, compiled, replace_forward

HEIGHT, WIDTH = 8, 12  # Size in cells of the example frame with which the network is traced; any size would do.


def compile_star(network: Star, device: torch.device, dtype: torch.dtype) -> Star:
    """Return a copy of the network that OpenVINO computes. Its results differ by rounding only."""
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


class _Decode(nn.Module):
    """The decoder with all its inputs as separate arguments, because tracing does not take tuples."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, context: Tensor, f4: Tensor, colours: Tensor, cues: Tensor, fine: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.decoder((context, f4, colours), cues, fine)


def _compile_decoder(decoder: Decoder, context: int, device: torch.device) -> None:
    sizes = [(HEIGHT * factor, WIDTH * factor) for factor in (1, 2, 4)]
    channels = (context, decoder.seen4.in_channels, 3)
    example = [torch.rand(2, c, *size) for c, size in zip(channels, sizes, strict=True)]
    example += [torch.rand(2, CUES, *sizes[0]), torch.rand(2, FINE, *sizes[1])]
    run = compiled(_Decode(decoder), example, device, precision=EXACT)
    if run is None:
        return

    def decode(seen: tuple[Tensor, Tensor, Tensor], cues: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        parts = zip(*(part.split(AT_A_TIME) for part in (*seen, cues, fine)), strict=True)
        logits, sure = zip(*(run(*some) for some in parts), strict=True)
        return torch.cat(logits), torch.cat(sure)

    replace_forward(decoder, decode)
