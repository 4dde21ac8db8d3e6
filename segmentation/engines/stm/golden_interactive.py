"""Computes arrays with our interactive STM, which are compared with those of the official code (golden arrays).

For each object, three rounds are run with scribbles on frames 2, 4 and 2; at the end the objects are aggregated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.stm.network import STRIDE, InteractiveSTM
from segmentation.evaluation.golden.aggregated import softmax_bounds
from segmentation.evaluation.golden.case import Array, Case, full, sampled
from segmentation.evaluation.golden.single import FIRST, SECOND, frames_of, scribbles_of
from segmentation.networks.aggregation import STM_CHANNELS, aggregate_logits
from segmentation.networks.memory import MemorySlot
from segmentation.networks.padding import pad, padding_to, unpad

GAIN = 1.0  # Scale of the made-up weights with which the network is filled.
ROUNDS = (FIRST, SECOND, FIRST)  # The frame that is annotated in each round.


class Program:
    """Runs rounds for one object as the official program does.

    In each round it encodes the annotated frame into the memory, segments this frame, and then segments all frames.
    """

    def __init__(self, case: Case, network: InteractiveSTM, object_id: int) -> None:
        self.case, self.network, self.object_id = case, network, object_id
        self.frames = frames_of(case)
        self.padding = padding_to(STRIDE, *self.frames.shape[-2:])
        # The probability maps of the object in all frames, [T, H, W].
        self.estimates = torch.zeros(len(self.frames), *self.frames.shape[-2:])
        self.memory: dict[int, MemorySlot] = {}

    def frame(self, index: int) -> Tensor:
        return pad(self.frames[index : index + 1], self.padding)

    def cues(self, index: int) -> Tensor:
        """Return the object's probability map, positive and negative scribbles in a frame, padded, [1, 3, H', W']."""
        positive, negative = scribbles_of(self.case, index, self.object_id, both=True)
        return pad(torch.stack([self.estimates[index], positive, negative])[None], self.padding)

    def logits(self, index: int) -> Tensor:
        """Return the logits of background and object in a frame, padded, [1, 2, H', W']."""
        query = self.network.encode_query(self.frame(index))
        return self.network.segment([list(self.memory.values())], query)

    def segment(self, index: int) -> Tensor:
        """Segment a frame, store its probability map, and return that of background and object, [2, H, W]."""
        distribution = unpad(torch.softmax(self.logits(index), dim=1)[0], self.padding)
        self.estimates[index] = distribution[1]
        return distribution


def compute(case: Case) -> Iterator[tuple[str, Array]]:
    network = InteractiveSTM()
    case.fill(network, GAIN)
    finals = []
    for object_id in range(1, case.num_objects + 1):
        program = Program(case, network, object_id)
        for index, frame in enumerate(ROUNDS):
            for name, array in _round(program, index, frame):
                yield f"obj{object_id}.{name}", array
        finals.append(program.estimates)
    joint = aggregate_logits(torch.stack(finals), STM_CHANNELS)
    low, high = (bound[: len(finals) + 1] for bound in softmax_bounds(joint))
    merged = torch.softmax(joint, dim=0)[: len(finals) + 1]
    yield "merged.softmax", sampled(merged, 4, 4, bounds=(low, high))


def _round(program: Program, index: int, frame: int) -> Iterator[tuple[str, Array]]:
    name = f"r{index}"
    if index == 0:
        yield from _memory_stages(program, frame)
    (program.memory[frame],) = program.network.memorize(program.frame(frame), program.cues(frame))
    if index == 0:
        yield from _query_stages(program, frame)
    (_, stats), (_, shown) = full("both", program.segment(frame), 2, 2)
    # The golden statistics are of both channels, but the golden array has only the channel of the object.
    yield f"{name}.segment_this.stats", stats
    yield f"{name}.segment_this", shown[1:]
    for t in range(len(program.frames)):
        program.segment(t)
    yield from full(f"{name}.Es", program.estimates, 2, 2)
    yield f"{name}.masks", np.packbits((program.estimates > 0.5).numpy())
    yield f"{name}.memory_frames", np.array(list(program.memory))
    yield from full(f"{name}.keys", torch.stack([slot.key for slot in program.memory.values()]))


def _memory_stages(program: Program, frame: int) -> Iterator[tuple[str, Array]]:
    cues, network = program.cues(frame), program.network
    yield from full("M.in_scribble_pos", cues[:, 1], 2, 2)
    yield from full("M.in_scribble_neg", cues[:, 2], 2, 2)
    yield from full("M.r4", network.Encoder_M(program.frame(frame), network.order_cues(cues))[-1], 32, 1, 1)
    (slot,) = network.memorize(program.frame(frame), cues)
    size = tuple(side // STRIDE for side in cues.shape[-2:])
    yield from full("M.key", slot.key.unflatten(-1, size)[None])
    yield from full("M.value", slot.value.unflatten(-1, size)[None], 8, 1, 1)


def _query_stages(program: Program, frame: int) -> Iterator[tuple[str, Array]]:
    query = program.network.encode_query(program.frame(frame))
    yield from full("Q.key", query.key[None])
    readout = program.network.read(list(program.memory.values()), query)
    yield from full("Q.mem", readout[None, : program.network.config.values], 8, 1, 1)
    yield from full("Q.logit", program.logits(frame), 2, 2)
