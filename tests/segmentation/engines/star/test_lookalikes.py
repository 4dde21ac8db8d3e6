"""Tests that what looks like an object, and that nobody drew, is found and followed, and shown in no mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star import engine as star_engine
from segmentation.engines.star import lookalikes
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.given import Given
from segmentation.engines.star.lookalikes import look_alikes, with_look_alikes
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.types import Interaction

SHARPNESS = torch.tensor(20.0)
PERSON, GRASS = torch.eye(2)
SIZE = (16, 30)
DRAWN, OTHER = (slice(4, 10), slice(4, 8)), (slice(5, 11), slice(20, 24))


def scene(*persons: tuple[slice, slice]) -> Tensor:
    """Return the embedding [2, h, w] of a frame with persons on grass."""
    frame = GRASS[:, None, None].repeat(1, *SIZE)
    for where in persons:
        frame[(slice(None), *where)] = PERSON[:, None, None]
    return F.normalize(frame + 0.05 * torch.rand(2, *SIZE, generator=torch.Generator().manual_seed(1)), dim=0)


def mask(*places: tuple[slice, slice]) -> Tensor:
    found = torch.zeros(SIZE)
    for where in places:
        found[where] = 1
    return found


def given(size: tuple[int, int] = SIZE) -> Given:
    masks = F.interpolate(mask(DRAWN)[None, None], scale_factor=2)[0]
    return Given(np.zeros(size, np.uint8), masks, torch.ones(1))


def test_only_the_person_that_nobody_drew_is_a_look_alike() -> None:
    found = look_alikes(scene(DRAWN, OTHER), mask(DRAWN)[None], SHARPNESS)
    assert torch.equal(found, mask(OTHER))


@pytest.mark.parametrize("most", [7, 128])
def test_few_cells_are_compared_at_once(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    measure = torch.cdist

    def cdist(some: Tensor, others: Tensor) -> Tensor:
        rows.append(len(some))
        return measure(some, others)

    monkeypatch.setattr(lookalikes, "CELLS_AT_ONCE", most)
    monkeypatch.setattr(torch, "cdist", cdist)
    found = look_alikes(scene(DRAWN, OTHER), mask(DRAWN)[None], SHARPNESS)
    assert torch.equal(found, mask(OTHER))
    assert max(rows) == most


def test_two_drawn_persons_are_no_look_alikes_of_each_other() -> None:
    assert not look_alikes(scene(DRAWN, OTHER), torch.stack([mask(DRAWN), mask(OTHER)]), SHARPNESS).any()


def test_a_border_that_the_mask_lacks_is_no_look_alike() -> None:
    lacking = mask((slice(5, 10), slice(4, 8)))
    assert not look_alikes(scene(DRAWN), lacking[None], SHARPNESS).any()


def test_what_touches_a_mask_that_is_not_sure_may_be_a_part_that_it_lacks() -> None:
    beside = (slice(7, 10), slice(8, 11))
    found = [look_alikes(scene(DRAWN, beside), mask(DRAWN)[None], SHARPNESS, sure) for sure in (True, False)]
    assert torch.equal(found[0], mask((slice(7, 10), slice(9, 11))))
    assert not found[1].any()


def test_a_frame_without_the_object_has_no_look_alikes() -> None:
    assert not look_alikes(scene(OTHER), mask()[None], SHARPNESS).any()


def test_annotated_frames_stay_as_they_are_if_nothing_looks_like_the_object() -> None:
    frame = given()
    assert with_look_alikes({3: frame}, {3: scene(DRAWN)}, {3}, SHARPNESS) == {3: frame}


def test_look_alikes_become_one_more_mask_in_every_annotated_frame() -> None:
    found = with_look_alikes({0: given(), 5: given()}, {0: scene(DRAWN, OTHER), 5: scene(DRAWN)}, {0, 5}, SHARPNESS)
    assert [len(each.masks) for each in found.values()] == [2, 2]
    assert torch.equal(found[0].shares[1] > 0.5, mask(OTHER) > 0)
    assert not found[5].shares[1].any()
    assert found[5].known.tolist() == [1, 1], "the second frame tells that nothing else looks like the object there"


def test_a_frame_that_was_annotated_before_an_object_was_drawn_tells_nothing_of_look_alikes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = given()
    both = torch.cat([person.masks, F.interpolate(mask(OTHER)[None, None], scale_factor=2)[0]])
    early = replace(person, masks=torch.cat([person.masks, torch.zeros_like(person.masks)]), known=torch.tensor([1, 0]))
    late = Given(person.labels, both, torch.ones(2))
    third = (slice(1, 4), slice(12, 16))
    frames = {0: scene(DRAWN, OTHER, third), 5: scene(DRAWN, OTHER, third)}
    compared = []

    def counting(embedding: Tensor, shares: Tensor, sharpness: Tensor, touching: bool) -> Tensor:
        compared.append(embedding)
        return look_alikes(embedding, shares, sharpness, touching)

    monkeypatch.setattr(lookalikes, "look_alikes", counting)
    found = with_look_alikes({0: early, 5: late}, frames, {0, 5}, SHARPNESS)
    assert [each is frames[5] for each in compared] == [True], "the early frame is not searched"
    assert not found[0].masks[2].any()
    assert found[0].known.tolist() == [1, 0, 0]
    assert torch.equal(found[5].shares[2] > 0.5, mask(third) > 0)


def crossing() -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.uint8]], np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
]:
    """Return frames [T, H, W, 3] and masks [T, H, W] of two equal things, the second of which passes in front."""
    random = np.random.default_rng(4)
    ground = random.integers(90, 130, (144, 256, 3)).astype(np.uint8)
    thing = np.clip(random.normal((200, 60, 50), 12, (40, 26, 3)), 0, 255).astype(np.uint8)
    frames, masks = np.repeat(ground[None], 20, 0), np.zeros((20, 144, 256), np.uint8)
    for t in range(20):
        for number, (y, x) in enumerate(((50, 100), (54, 30 + 8 * t)), 1):
            frames[t, y : y + 40, x : x + 26] = thing
            masks[t, y : y + 40, x : x + 26] = number
    return frames, masks


def mean_j(monkeypatch: pytest.MonkeyPatch, followed: bool) -> float:
    """Return the mean J of the first thing, of which the first frame's mask is given."""
    frames, masks = crossing()
    truth = np.where(masks == 1, masks, 0)
    with monkeypatch.context() as patched:
        if not followed:
            patched.setattr(star_engine, "with_look_alikes", lambda given, *_: dict(given))
        session = StarEngine(ArrayFrames(frames), 1)
        session.lock(0, truth[0])
        updates = list(session.run_round(Interaction(0, first_strokes(truth[0], 1))))
        session.close()
    assert all(len(update.confidence) == 1 and update.labels.max() <= 1 for update in updates)
    return float(np.mean([jaccard(truth[update.frame], update.labels, 1) for update in updates]))


def test_a_thing_that_passes_does_not_take_the_mask_along(monkeypatch: pytest.MonkeyPatch) -> None:
    with_others, without = mean_j(monkeypatch, True), mean_j(monkeypatch, False)
    assert with_others > without + 0.1
