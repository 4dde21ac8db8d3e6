"""STAR's refiner as it runs fastest on a device: on a CPU, what costs most of a frame is compiled by OpenVINO."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmentation.classical.scaled_frames import CHANNELS
from segmentation.engines.star.network import CUES, STRIDE, Cues, Decoder, Frame, Star
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, Function, compiled, replace_forward

HEIGHT, WIDTH = 4 * STRIDE, 5 * STRIDE  # of the frame that is traced: any will do


def compile_star(network: Star, device: torch.device, dtype: torch.dtype) -> Star:
    """A copy of the refiner that computes nearly the same. What it remembers is PyTorch's: it comes once a round."""
    ready = for_inference(network, device, dtype)
    config = network.config
    frames, pixel_features = torch.rand(1, 3, HEIGHT, WIDTH), torch.rand(1, CHANNELS, HEIGHT // 4, WIDTH // 4)
    encode = compiled(ready.encoder, (frames, pixel_features), device)
    keys, values = torch.rand(1, 3, config.key), torch.rand(1, 3, config.value)
    read = compiled(_Read(ready), (keys, keys, values), device)
    sizes = [(HEIGHT // stride, WIDTH // stride) for stride in (8, 8, 4, 2)]
    parts = [torch.rand(1, n, *size) for n, size in zip((config.value, *config.widths[2::-1]), sizes, strict=True)]
    known = torch.rand(1, CUES, HEIGHT, WIDTH), torch.rand(1, 2, *sizes[2]), torch.zeros(1, dtype=torch.long)
    decode = compiled(_Decode(ready.decoder), (*parts, *known), device)
    if encode is not None and read is not None and decode is not None:
        replace_forward(ready.encoder, lambda frames, pixel_features: Frame(*encode(frames, pixel_features)))
        _read_with(ready, read)
        _decode_with(ready.decoder, decode)
    return ready


def _read_with(network: Star, read: Function) -> None:
    def read_cells(query: Tensor, memory: Tensor, values: Tensor) -> Tensor:
        found, *_ = read(query.T[None], memory.T[None], values.flatten(0, 1).T[None])
        return found[0].T.unflatten(0, values.shape[:2])

    network.read = read_cells  # type: ignore[method-assign]


def _decode_with(decoder: Decoder, decode: Function) -> None:
    def logits(readout: Tensor, frame: Frame, cues: Cues, scores: Tensor, clip: Tensor) -> Tensor:
        of_frames, of_objects = (frame.p8, frame.f4, frame.f2), (readout, cues.stack(), scores, clip)
        parts = zip(*(each.split(AT_A_TIME) for each in of_objects), strict=True)
        return torch.cat([decode(r, *of_frames, c, s, which)[0] for r, c, s, which in parts])

    replace_forward(decoder, logits)


class _Read(nn.Module):
    """`Star.read` on [1, cells, channels]."""

    def __init__(self, network: Star) -> None:
        super().__init__()
        self.sharpness = float(network.sharpness.exp())

    def forward(self, query: Tensor, memory: Tensor, values: Tensor) -> Tensor:
        return torch.softmax(self.sharpness * query @ memory.transpose(1, 2), dim=-1) @ values


class _Decode(nn.Module):
    """The decoder, its frame and cues as tensors."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, readout: Tensor, p8: Tensor, f4: Tensor, f2: Tensor, cues: Tensor, scores: Tensor, clip: Tensor
    ) -> Tensor:
        frame = Frame(p8, p8, f4, f2, f4, f4)  # the decoder looks at p8, f4 and f2 alone
        logits: Tensor = self.decoder(readout, frame, Cues(*cues.unbind(1)), scores, clip)
        return logits
