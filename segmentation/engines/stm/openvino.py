"""Compiles both STM networks, interactive and semi-supervised, by OpenVINO for a CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from segmentation.engines.stm.network import STRIDE, InteractiveSTM, Query, SpaceTimeMemory
from segmentation.networks.memory import BLOCK_BYTES, MemorySlot
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, EXACT, compiled, replace_forward

HEIGHT, WIDTH = 4 * STRIDE, 5 * STRIDE  # Size of the example frame for tracing; any size would do.
System = TypeVar("System", bound=SpaceTimeMemory)


def compile_stm(network: System, device: torch.device, dtype: torch.dtype) -> System:
    """Return a copy for inference of a network of interactive or semi-supervised STM, by OpenVINO if it can be used.

    Frames are encoded in float32. Interactive STM reads the memory and decodes in bfloat16 if the processor supports
    it: within a round no mask depends on another mask, so that rounding errors do not add up.
    """
    ready = for_inference(network, device, dtype)
    frame, cues = torch.rand(1, 3, HEIGHT, WIDTH), torch.rand(2, len(network.cues), HEIGHT, WIDTH)
    query = compiled(_Encode(ready), (frame,), device, precision=EXACT)
    memory = compiled(_Memorize(ready), (frame, cues), device, precision=EXACT)
    config = network.config
    shapes = [(2, 2 * config.values, 16), (1, config.width, 8), (1, config.width, 4)]
    parts = [torch.rand(n, channels, HEIGHT // stride, WIDTH // stride) for n, channels, stride in shapes]
    late = None if isinstance(network, InteractiveSTM) else EXACT
    decode = compiled(ready.Decoder, parts, device, precision=late)
    cells, values = torch.rand(1, 3, config.keys), torch.rand(1, 3, config.values)
    look_up = compiled(_Read(), (cells, cells, values), device, precision=late)
    if query is None or memory is None or decode is None or look_up is None:
        return ready

    order = type(ready).order_cues  # A reference to `ready` in the functions below would be circular.

    def encode_queries(frames: Tensor) -> list[Query]:
        return [Query(*of_frame) for of_frame in zip(*query(frames), strict=True)]

    def memorize(frame: Tensor, cues: Tensor) -> list[MemorySlot]:
        some = [memory(frame, part) for part in order(cues).split(AT_A_TIME)]
        maps = (torch.cat(found) for found in zip(*some, strict=True))
        return [MemorySlot.from_maps(key, value) for key, value in zip(*maps, strict=True)]

    def read(slots: Sequence[MemorySlot], query: Query) -> Tensor:
        if not slots:
            raise ValueError("slots: the memory is empty")
        known = [torch.cat(parts, dim=1).t()[None] for parts in zip(*((s.key, s.value) for s in slots), strict=True)]
        block = max(1, BLOCK_BYTES // (known[0].shape[1] * 4))  # Scores are float32.
        wanted = query.key.flatten(1).t() / math.sqrt(len(query.key))  # [Q, C]
        found = torch.cat([look_up(part[None], *known)[0][0] for part in wanted.split(block)])
        return torch.cat([found.t().view_as(query.value), query.value])

    def logits(readout: Tensor, skip3: Tensor, skip2: Tensor) -> Tensor:
        return torch.cat([decode(part, skip3, skip2)[0] for part in readout.split(AT_A_TIME)])

    ready.encode_queries = encode_queries  # type: ignore[method-assign]
    ready.memorize = memorize  # type: ignore[method-assign]
    ready.read = read  # type: ignore[method-assign]
    replace_forward(ready.Decoder, logits)
    return ready


class _Encode(nn.Module):
    """Computes the four tensors of `Query` for N frames to segment, [N, 3, H, W]."""

    def __init__(self, network: SpaceTimeMemory) -> None:
        super().__init__()
        self.encoder, self.key_value = network.Encoder_Q, network.get_submodule(network.query_name)
        self.decoder = network.Decoder

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        r2, r3, r4 = self.encoder(frames)
        keys, values = self.key_value(r4)
        return keys, values, self.decoder.RF3.skip(r3), self.decoder.RF2.skip(r2)


class _Memorize(nn.Module):
    """Computes the keys and values of N objects from an annotated frame [1, 3, H, W] and their cues [N, C, H, W].

    The cues are the objects' masks and scribbles, in the order of the memory encoder.
    """

    def __init__(self, network: SpaceTimeMemory) -> None:
        super().__init__()
        self.encoder, self.key_value = network.Encoder_M, network.get_submodule(network.memory_name)

    def forward(self, frame: Tensor, cues: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.key_value(self.encoder(frame, cues)[-1])
        return keys, values


class _Read(nn.Module):
    """Reads the memory as `read_memory` does: [1, Q, D] for Q cells of a frame.

    Its inputs are their keys [1, Q, C], divided by sqrt(C), and the keys [1, M, C] and values [1, M, D] of M memory
    cells.
    """

    def forward(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return torch.softmax(query @ keys.transpose(1, 2), dim=-1) @ values
