"""Computes arrays with our semi-supervised STM, which are compared with those of the official code (golden arrays).

They are intermediate results of two frames in memory and of a frame to segment, and the masks of a whole video, for
each of three rules that say which frames are kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.engines.stm.network import STM, STRIDE, other_masks
from segmentation.evaluation.golden.aggregated import logit_bounds, softmax_bounds
from segmentation.evaluation.golden.case import Array, Case, full, sampled
from segmentation.networks.aggregation import STM_CHANNELS, aggregate_logits
from segmentation.networks.memory import MemorySlot
from segmentation.networks.padding import pad, padding_to, unpad

GAIN = 1.0  # Scale of the made-up weights with which the network is filled.
SHARPNESS = 3  # The probability maps of frame 1 are softmax(SHARPNESS * one-hot).


class Program:
    """Runs semi-supervised STM on the frames and masks for which the official code computed the golden arrays.

    Masks are probability maps of background and objects, [K, H, W].
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.objects = case.num_objects
        self.frames = torch.from_numpy(case.frames).permute(0, 3, 1, 2).float() / 255  # [T, 3, H, W]
        self.channels = max(STM_CHANNELS, self.objects + 1)
        self.padding = padding_to(STRIDE, *self.frames.shape[-2:])
        self.network = STM()
        case.fill(self.network, GAIN)

    def one_hot(self, frame: int) -> Tensor:
        ids = torch.from_numpy(self.case.labels[frame]).long()
        return torch.nn.functional.one_hot(ids, self.channels).permute(2, 0, 1).float()  # [K, H, W]

    def cues(self, masks: Tensor) -> Tensor:
        """Return for each of N objects its own mask and the sum of the others, padded: [N, 2, H', W'].

        `masks` are the probability maps of background and objects, [K, H, W].
        """
        own = masks[1 : self.objects + 1]
        return pad(torch.stack([own, other_masks(own)], dim=1), self.padding)

    def frame(self, index: int) -> Tensor:
        return pad(self.frames[index : index + 1], self.padding)  # [1, 3, H', W']

    def memorize(self, index: int, masks: Tensor) -> list[MemorySlot]:
        return self.network.memorize(self.frame(index), self.cues(masks))

    def segment(self, index: int, memories: list[list[MemorySlot]]) -> tuple[Tensor, Tensor]:
        """Segment a frame with the memories of N objects.

        Return the logits of the decoder, padded, [N, 2, H', W'], and the aggregated logits [K, H, W].
        """
        logits = self.network.segment(memories, self.network.encode_query(self.frame(index)))
        return logits, unpad(aggregate_logits(torch.softmax(logits, dim=1)[:, 1]), self.padding)


def compute(case: Case) -> Iterator[tuple[str, Array]]:
    program = Program(case)
    yield "pad_lrtb", np.array(program.padding)
    yield from _memories(program)
    yield from _query(program)
    length = len(case.frames)
    yield from _loop(program, "every5", set(range(0, length, 5)))
    yield from _loop(program, "every2", set(range(0, length, 2)))
    # Two intermediate frames that divide the video into equal parts, rounded as in the official program.
    yield from _loop(program, "number2", {round(float(i)) for i in np.linspace(0, length, num=4)[:-1]})


def _soft_masks(program: Program) -> list[Tensor]:
    return [program.one_hot(0), torch.softmax(SHARPNESS * program.one_hot(1), dim=0)]


def _maps(program: Program, slots: list[MemorySlot]) -> tuple[Tensor, Tensor]:
    """Return the keys [N, C, h, w] and the values [N, D, h, w] in the memory slots of N objects."""
    height, width = (side // STRIDE for side in program.frame(0).shape[-2:])
    keys = torch.stack([slot.key for slot in slots]).unflatten(-1, (height, width))
    return keys, torch.stack([slot.value for slot in slots]).unflatten(-1, (height, width))


def _memories(program: Program) -> Iterator[tuple[str, Array]]:
    hard, soft = _soft_masks(program)
    cues = program.cues(hard)
    yield from full("M0.in_m", cues[:, 0], 4, 4)
    yield from full("M0.in_o", cues[:, 1], 4, 4)
    yield from full("M0.r4", program.network.Encoder_M(program.frame(0), cues)[-1], 32, 1, 1)
    keys, values = _maps(program, program.memorize(0, hard))
    yield from full("M0.key", keys)
    yield from full("M0.value", values, 8, 1, 1)
    keys, values = _maps(program, program.memorize(1, soft))
    yield from full("M1.key", keys, 4, 1, 1)
    yield from full("M1.value", values, 16, 1, 1)


def _query(program: Program) -> Iterator[tuple[str, Array]]:
    hard, soft = _soft_masks(program)
    memories = [list(pair) for pair in zip(program.memorize(0, hard), program.memorize(1, soft), strict=True)]
    frame, network = program.frame(2), program.network
    r2, r3, r4 = network.Encoder_Q(frame)
    yield from full("Q2.r4", r4, 32, 1, 1)
    yield from full("Q2.r3", r3, 32, 2, 2)
    yield from full("Q2.r2", r2, 32, 4, 4)
    query = network.encode_query(frame)
    yield from full("Q2.key", query.key[None])
    yield from full("Q2.value", query.value[None], 8, 1, 1)
    readout = torch.stack([network.read(slots, query) for slots in memories])
    yield from full("Q2.mem", readout[:, : network.config.values], 4, 1, 1)
    affinity = torch.stack([_affinity(slots, query.key) for slots in memories])
    yield from full("Q2.affinity", affinity, 3, 5)
    yield "Q2.effective_memory_cells", _effective_cells(affinity)
    logits, joint = program.segment(2, memories)
    yield from full("Q2.decoder_logits", logits, 2, 2)
    shown = program.objects + 2
    low, high = logit_bounds(joint)
    yield from full("Q2.logit", joint[:shown], 2, 2, bounds=(low[:shown], high[:shown]))
    low, high = softmax_bounds(joint)
    yield from full("Q2.softmax", torch.softmax(joint, dim=0)[:shown], 2, 2, bounds=(low[:shown], high[:shown]))


def _affinity(slots: list[MemorySlot], query: Tensor) -> Tensor:
    """Return the softmax over memory cells, [memory cells, cells of the frame].

    The network itself never computes it as a whole.
    """
    keys = torch.cat([slot.key for slot in slots], dim=1)
    return torch.softmax(keys.t() @ query.flatten(1) / keys.shape[0] ** 0.5, dim=0)


def _effective_cells(affinity: Tensor) -> NDArray[np.float64]:
    entropy = -(affinity * affinity.clamp_min(1e-30).log()).sum(dim=1)
    return np.array(entropy.exp().mean().item())


def _loop(program: Program, name: str, kept_frames: set[int]) -> Iterator[tuple[str, Array]]:
    """Segment the video forward from frame 0, and yield the masks as the array loop.<name>.

    The memory holds the frames in `kept_frames` and the previous frame.
    """
    estimates = [program.one_hot(0)]
    bounds = [(program.one_hot(0).double().numpy(),) * 2]
    kept: list[list[MemorySlot]] = [[] for _ in range(program.objects)]
    for t in range(1, len(program.frames)):
        latest = program.memorize(t - 1, estimates[-1])
        memory = [[*slots, slot] for slots, slot in zip(kept, latest, strict=True)]
        _, joint = program.segment(t, memory)
        estimates.append(torch.softmax(joint, dim=0))
        bounds.append(softmax_bounds(joint))
        if t - 1 in kept_frames:
            kept = memory
    distribution = torch.stack(estimates, dim=1)  # [K, T, H, W]
    yield f"loop.{name}.pred", distribution.argmax(dim=0).numpy().astype(np.uint8)
    shown = program.objects + 1
    low, high = (np.stack(bound, axis=1)[:shown] for bound in zip(*bounds, strict=True))
    yield f"loop.{name}.Es", sampled(distribution[:shown], 4, 4, bounds=(low, high))
