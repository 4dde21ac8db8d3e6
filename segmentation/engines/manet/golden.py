"""Computes arrays with our MA-Net, which are compared with those of the official code (golden arrays).

The arrays are all intermediate results, and the masks of three rounds with scribbles on frames 2, 4 and 1. The network
(with folded batch norms) and the memories are those of the engine. Far from the scribbles two ids may have equal or
nearly equal logits. Then rounding decides the id, which is an input to the next frame and the next round. So the rounds
continue from the golden masks if our masks agree with them within the tolerance (`carried`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.manet.memory import GlobalMemory, LocalMemory, MemoryOptions, labelled_cells
from segmentation.engines.manet.network import MANet, for_inference, to_input
from segmentation.engines.manet.rounds import ManetRound
from segmentation.evaluation.golden.case import Array, Case, carried, full
from segmentation.evaluation.golden.rules import make_scribble
from segmentation.networks.labelling import upsampled_argmax
from segmentation.networks.matching import References, local_distances, offset_rows
from segmentation.networks.nearest import nearest_squared
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.session.round_labels import RoundLabels, resize_labels

GAIN = 0.9  # Scale of the made-up weights with which the network is filled.
REFERENCE, QUERY = 2, 3  # The frame with the scribbles, and the frame that is compared with it.
ROUNDS = (2, 4, 1)  # The frame that is annotated in each round, if the golden file does not name others.
NO_LABEL = 1e20  # The squared distance to an id that no pixel has.
CACHE_BYTES = 256 << 20


class Program:
    """Runs MA-Net on the frames and scribbles for which the official code computed the golden arrays.

    It holds the embeddings of all frames. The ids are 0 (background) to n, the number of objects.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        network = MANet()
        case.fill(network, GAIN)
        self.network = for_inference(network)
        self.images = to_input(torch.from_numpy(case.frames).permute(0, 3, 1, 2))  # [T, 3, H, W]
        self.embeddings = self.network.embed(self.images)  # [T, C, h, w]
        self.size = (self.embeddings.shape[2], self.embeddings.shape[3])
        self.ids = range(case.num_objects + 1)

    def embed(self, frame: int) -> Tensor:
        return self.embeddings[frame]

    def labels(self, frame: int) -> Tensor:
        """Return the true mask of a frame at the size of an embedding, int64 [h, w]."""
        return resize_labels(torch.from_numpy(self.case.labels[frame].astype(np.int64)), self.size)

    def scribbles(self, frame: int) -> Tensor:
        """Return the scribbles in a frame at the size of an embedding, one pixel thick, int64 [h, w]."""
        bars = make_scribble(self.labels(frame).numpy().astype(np.uint8), self.case.num_objects, thickness=1)
        return torch.from_numpy(bars.astype(np.int64))


def compute(case: Case) -> Iterator[tuple[str, Array]]:
    program = Program(case)
    yield from _embedding_stages(program)
    yield from _matching_stages(program)
    yield from _loop(program)


def _embedding_stages(program: Program) -> Iterator[tuple[str, Array]]:
    image, extractor = program.images[:1], program.network.feature_extracter
    yield from full("input0", image, 8, 8)
    features = extractor.backbone(image)
    yield from full("backbone", features[-1], 64, 1, 1)
    yield from full("low_level", features[0], 32, 2, 2)
    yield from full("aspp", extractor.aspp(features[-1]), 16, 1, 1)
    yield from full("deeplab_out", extractor(image), 32, 2, 2)
    yield from full("embedding", program.embeddings[:, ::10], 2, 2)  # The golden arrays have each tenth channel.
    yield "emb_hw", np.array(program.size)
    yield "obj_ids", np.array(program.ids)


def _matching_stages(program: Program) -> Iterator[tuple[str, Array]]:
    ids, network, window = program.ids, program.network, program.network.config.window
    reference, query = program.embed(REFERENCE), program.embed(QUERY)
    labels, scribbles = program.labels(REFERENCE), program.scribbles(REFERENCE)
    yield "scribble_emb", scribbles.numpy()
    yield "local_labels", labels.numpy()

    cells, drawn = labelled_cells(reference, scribbles)
    yield from full("global_raw", _raw_distances(query, cells, drawn, ids))
    global_map = References(cells, drawn).distances(query, ids)  # [n, h, w]
    yield from full("global_map", global_map.permute(1, 2, 0))
    distances = torch.cat(list(offset_rows(query, reference, window)))  # [625, h, w]
    yield from full("local_dist", distances.permute(1, 2, 0), 4, 4, 16)
    local_map = local_distances(query, reference, labels, ids, window)
    yield from full("local_map", local_map.permute(1, 2, 0))
    yield from full("prop_head", network.propagate(query, (global_map, local_map), labels, ids))
    yield from full("int_head_first", network.interact(reference, scribbles, None, ids))
    yield from full("int_head_later", network.interact(reference, scribbles, labels, ids))


def _raw_distances(query: Tensor, cells: Tensor, labels: Tensor, ids: range) -> Tensor:
    """Return the squared distance of each pixel of `query` [C, h, w] to the nearest of `cells` of each id, [h, w, n].

    `cells` [R, C] are the embeddings of labelled pixels, `labels` [R] their ids.
    """
    flat = query.flatten(1).t().contiguous()
    maps = [
        nearest_squared(flat, cells[labels == i]) if (labels == i).any() else torch.full((len(flat),), NO_LABEL)
        for i in ids
    ]
    return torch.stack(maps, dim=1).view(*query.shape[1:], len(ids))


def _loop(program: Program) -> Iterator[tuple[str, Array]]:
    """Run our network through the rounds of the official test program, and yield the arrays and masks of each round.

    Each round begins in the frame that the golden file names for it, or in that of ROUNDS if it names none, and goes
    forward and backward.
    """
    memory = MemoryOptions(window=program.network.config.window)
    global_memory = GlobalMemory(program.embed, memory, FeatureCache(CACHE_BYTES))
    local_memory = LocalMemory(program.embed, memory, FeatureCache(CACHE_BYTES))
    annotated = _annotated_frames(program.case)
    yield "loop.annotated_frames", np.array(annotated)
    rounds: list[ManetRound] = []
    length, height, width = program.case.labels.shape
    for index, start in enumerate(annotated):
        rounds.append(ManetRound(start, program.scribbles(start), RoundLabels(program.size), frozenset(program.ids)))
        masks = np.zeros((length, height, width), np.uint8)
        stored = program.case.stored(f"loop.r{index}.masks", masks.shape)
        for frame in [*range(start, length), *range(start - 1, -1, -1)]:
            prefix = f"loop.r{index}.f{frame}"
            if frame == start:
                logits, kind = _interact(program, rounds), "i"
                memorised = global_memory.read(frame, rounds, program.ids)
            else:
                previous = rounds[-1].labels[rounds[-1].neighbour(frame)]
                near = local_memory.read(frame, rounds, previous, program.ids)
                memorised, kind = global_memory.read(frame, rounds, program.ids), "p"
                logits = program.network.propagate(program.embed(frame), (memorised, near), previous, program.ids)
                yield f"{prefix}.dist", _stored_factors(rounds, frame)
            masks[frame] = upsampled_argmax(logits, program.ids, (height, width))
            onward = carried(masks[frame], None if stored is None else stored[frame])
            rounds[-1].labels[frame] = resize_labels(torch.from_numpy(onward.astype(np.int64)), program.size)
            yield from full(f"{prefix}.{kind}_logits", logits)
            yield from full(f"{prefix}.{kind}_global_memory", memorised.permute(1, 2, 0), 2, 2, 1)
        yield f"loop.r{index}.masks", masks


def _annotated_frames(case: Case) -> list[int]:
    stored = case.stored("loop.annotated_frames")
    return list(ROUNDS) if stored is None else [int(frame) for frame in stored]


def _interact(program: Program, rounds: list[ManetRound]) -> Tensor:
    newest = rounds[-1]
    previous = rounds[-2].labels[newest.frame] if len(rounds) > 1 else None
    return program.network.interact(program.embed(newest.frame), newest.scribbles, previous, program.ids)


def _stored_factors(rounds: list[ManetRound], frame: int) -> Array:
    """Return for each round so far 1 / distance in frames from `frame` to its annotated frame; 0 for distance 0."""
    distances = [abs(frame - round_.frame) for round_ in rounds]
    return np.array([1 / distance if distance else 0 for distance in distances], np.float32)
