"""Compares MA-Net's global and local memory with a simple version of the official code's loop over rounds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from segmentation.engines.manet.memory import GlobalMemory, LocalMemory, MemoryOptions, labelled_cells
from segmentation.engines.manet.rounds import ManetRound, rough_region
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.session.round_labels import RoundLabels
from tests.segmentation.networks.brute_force import global_map, local_map

FRAMES, HEIGHT, WIDTH, CHANNELS, IDS = 7, 13, 18, 5, 3
WINDOW, MARGIN = 3, 2


@dataclass
class Scene:
    """The inputs of MA-Net's memories: random embeddings of the frames, and rounds with scribbles and masks."""

    embeddings: Tensor
    rounds: list[ManetRound]

    def embed(self, frame: int) -> Tensor:
        return self.embeddings[frame]


@pytest.fixture
def scene() -> Scene:
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.rand(FRAMES, CHANNELS, HEIGHT, WIDTH, generator=generator) * 0.8
    rounds = []
    for start in (3, 5, 1, 5):
        scribbles = torch.full((HEIGHT, WIDTH), -1)
        for label in range(IDS):
            scribbles[4 + 2 * label, 5 + label : 9 + label] = label
        labels = RoundLabels((HEIGHT, WIDTH))
        for frame in range(FRAMES):
            labels[frame] = torch.randint(0, IDS, (HEIGHT, WIDTH), generator=generator)
        rounds.append(ManetRound(start, scribbles, labels, frozenset(range(IDS))))
    return Scene(embeddings, rounds)


def official_loop(scene: Scene) -> dict[tuple[int, int], tuple[Tensor, Tensor]]:
    """Run the loop of the official code over all rounds and frames.

    Returns, by (index of the round, frame), the global and the local distance map, both [ids, h, w], that the network's
    propagation head gets.
    """
    shape = (IDS, HEIGHT, WIDTH)
    memory = torch.ones(FRAMES, *shape)
    local = torch.zeros(FRAMES, len(scene.rounds), *shape)
    factor = torch.zeros(FRAMES, len(scene.rounds))
    result = {}
    for r, round_ in enumerate(scene.rounds):
        start, scribbles = round_.frame, round_.scribbles
        own = scene.embed(start)
        memory[start] = torch.minimum(memory[start], local_map(own, own, scribbles, IDS, WINDOW))
        factor[start, r] = 0
        if r == 0:
            scribbles = rough_region(scribbles, MARGIN)
        for frame in [*range(start + 1, FRAMES), *range(start - 1, -1, -1)]:
            neighbour = frame - 1 if frame > start else frame + 1
            now = global_map(scene.embed(frame), own, scribbles, IDS)
            memory[frame] = torch.minimum(memory[frame], now)
            labels = round_.labels[neighbour]
            local[frame, r] = local_map(scene.embed(frame), scene.embed(neighbour), labels, IDS, WINDOW)
            factor[frame, r] = 1 / abs(frame - start)
            read = local[frame, r] if r == 0 or factor[frame, r] > factor[frame, r - 1] else local[frame, r - 1]
            result[r, frame] = memory[frame].clone(), read.clone()
    return result


@pytest.mark.parametrize("cache_bytes", [0, 1 << 24])
def test_both_memories_read_what_the_official_loop_reads(scene: Scene, cache_bytes: int) -> None:
    options = MemoryOptions(window=WINDOW, margin=MARGIN)
    far = GlobalMemory(scene.embed, options, FeatureCache(cache_bytes))
    near = LocalMemory(scene.embed, options, FeatureCache(cache_bytes))
    ids = range(IDS)
    for (r, frame), (expected_far, expected_near) in official_loop(scene).items():
        rounds = scene.rounds[: r + 1]
        previous = rounds[-1].labels[rounds[-1].neighbour(frame)]
        torch.testing.assert_close(far.read(frame, rounds, ids), expected_far, rtol=0, atol=1e-5)
        torch.testing.assert_close(near.read(frame, rounds, previous, ids), expected_near, rtol=0, atol=1e-5)


def test_a_memory_built_at_once_equals_one_built_round_by_round(scene: Scene) -> None:
    options = MemoryOptions(window=WINDOW, margin=MARGIN)
    for round_ in scene.rounds[:2]:  # object 2 is first drawn in the third round
        round_.scribbles[round_.scribbles == 2] = -1
    grown = GlobalMemory(scene.embed, options, FeatureCache(1 << 24))
    for r in range(len(scene.rounds)):
        kept = grown.read(2, scene.rounds[: r + 1], range(2 if r < 2 else IDS))
    rebuilt = GlobalMemory(scene.embed, options, FeatureCache(0)).read(2, scene.rounds, range(IDS))
    assert torch.equal(kept, rebuilt)


def test_with_one_remembered_round_the_local_map_is_always_the_newest(scene: Scene) -> None:
    near = LocalMemory(scene.embed, MemoryOptions(window=WINDOW, rounds=1), FeatureCache(0))
    rounds = scene.rounds[:3]  # rounds drawn on frames 3, 5, 1, of which the newest is the farthest from frame 4
    previous = rounds[-1].labels[3]
    expected = local_map(scene.embed(4), scene.embed(3), previous, IDS, WINDOW)
    torch.testing.assert_close(near.read(4, rounds, previous, range(IDS)), expected, rtol=0, atol=1e-5)


def test_with_three_remembered_rounds_the_nearest_of_them_is_read(scene: Scene) -> None:
    near = LocalMemory(scene.embed, MemoryOptions(window=WINDOW, rounds=3), FeatureCache(0))
    rounds = scene.rounds[:3]
    expected = local_map(scene.embed(2), scene.embed(1), rounds[2].labels[1], IDS, WINDOW)  # frames 3 and 1 tie
    older = local_map(scene.embed(2), scene.embed(3), rounds[0].labels[3], IDS, WINDOW)
    got = near.read(2, rounds, rounds[2].labels[1], range(IDS))
    # Of two rounds at the same distance the older one is used.
    torch.testing.assert_close(got, older, rtol=0, atol=1e-5)
    assert not torch.allclose(expected, older, atol=1e-3)


def test_a_round_that_did_not_reach_a_frame_gives_it_no_local_map(scene: Scene) -> None:
    cut = RoundLabels((HEIGHT, WIDTH))
    cut[3] = torch.zeros(HEIGHT, WIDTH, dtype=torch.int64)
    first = ManetRound(3, scene.rounds[0].scribbles, cut, frozenset({1}))
    assert not first.reached(4)
    near = LocalMemory(scene.embed, MemoryOptions(window=WINDOW), FeatureCache(0))
    rounds = [first, scene.rounds[1]]
    previous = scene.rounds[1].labels[5]
    expected = local_map(scene.embed(4), scene.embed(5), previous, IDS, WINDOW)
    torch.testing.assert_close(near.read(4, rounds, previous, range(IDS)), expected, rtol=0, atol=1e-5)


def test_without_global_memory_only_the_first_round_counts(scene: Scene) -> None:
    options = MemoryOptions(window=WINDOW, margin=MARGIN, keep_global=False)
    memory = GlobalMemory(scene.embed, options, FeatureCache(1 << 24))
    first = memory.read(2, scene.rounds[:1], range(IDS)).clone()
    assert torch.equal(memory.read(2, scene.rounds, range(IDS)), first)


def test_without_augmentation_the_annotated_frame_learns_nothing_from_itself(scene: Scene) -> None:
    options = MemoryOptions(window=WINDOW, margin=MARGIN, augment=False)
    memory = GlobalMemory(scene.embed, options, FeatureCache(0)).read(3, scene.rounds[:1], range(IDS))
    assert (memory == 1).all()


def test_the_rough_region_is_background_beyond_the_margin_and_on_the_last_row_and_column() -> None:
    scribbles = torch.full((8, 9), -1)
    scribbles[3, 4:6] = 2
    region = rough_region(scribbles, 2)
    inside = region != 0
    assert inside.nonzero().amin(0).tolist() == [1, 2]
    assert inside.nonzero().amax(0).tolist() == [4, 6]
    assert (region[3, 4:6] == 2).all()
    assert (rough_region(scribbles, 20)[-1] == 0).all()
    assert (rough_region(scribbles, 20)[:, -1] == 0).all()


def test_given_cells_are_thinned_evenly_for_each_id() -> None:
    labels = torch.zeros(10, 10, dtype=torch.int64)
    labels[0, :3] = 1
    cells, ids = labelled_cells(torch.rand(4, 10, 10), labels, most=20)
    assert (ids == 1).sum() == 3
    assert 10 <= (ids == 0).sum() <= 20
    assert cells.shape == (len(ids), 4)
