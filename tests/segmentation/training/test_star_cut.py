"""How STAR's cutter learns."""

from dataclasses import replace

import numpy as np
import torch

from segmentation.engines.star.cutting import CLUES, SIDE
from segmentation.training.clips import ClipConfig
from segmentation.training.lessons.star_cut import Lesson, _turned
from segmentation.training.plan import load_plan
from segmentation.training.sketched import _worn
from segmentation.training.sources import Sources
from tests.segmentation.training.learning import learn, make_clips, untouched

CLIPS = ClipConfig(frames=2, height=64, width=96, max_objects=2)


def make_lesson(**options: object) -> Lesson:
    torch.manual_seed(0)
    plan = replace(load_plan("star-cut", "compact"), network={"widths": [4, 8, 12, 16], "skip": 4})
    return Lesson(plan, torch.device("cpu"), **options)  # type: ignore[arg-type]


def test_it_learns_and_every_parameter_does(sources: Sources) -> None:
    lesson = make_lesson()
    clips = make_clips(lesson, sources, CLIPS, 4)
    losses = learn(lesson, clips, steps=25)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])
    assert not untouched(lesson.network)


def test_windows_have_clues_and_truth_of_first_masks_and_corrections(sources: Sources) -> None:
    made = make_clips(make_lesson(), sources, CLIPS, 8)
    corrects = np.concatenate([one.corrects for one in made])
    assert 0 < corrects.sum() < len(corrects)
    for one in made:
        count = len(one.corrects)
        assert one.images.shape == (count, SIDE, SIDE, 3)
        assert one.clues.shape == (count, CLUES, SIDE, SIDE)
        assert one.truth.shape == (count, SIDE, SIDE)
        assert set(np.unique(one.truth)) <= {0, 1, 255}
        for clues, truth, corrected in zip(one.clues, one.truth, one.corrects, strict=True):
            assert clues[2].any() == corrected  # the mask before
            drawn = clues[6] == 255
            if drawn.any():
                assert (truth[drawn] == 0).mean() < 0.4  # strokes are three pixels across, at a size of their own
            else:
                assert corrected


def test_turning_a_batch_moves_all_of_it_alike() -> None:
    random = np.random.default_rng(0)
    disc = (np.hypot(*(np.mgrid[0:64, 0:64] - 30.0)) < 15).astype(np.float32)
    images = torch.from_numpy(disc)[None, None].repeat(3, 3, 1, 1)
    clues, truth = images[:, :1].repeat(1, CLUES, 1, 1), torch.from_numpy(disc)[None].repeat(3, 1, 1).to(torch.uint8)
    truth[:, :4] = 255
    shown, known, answer = _turned(images, clues, truth, random)
    decided = answer != 255
    assert decided.float().mean() > 0.7
    assert set(answer.unique().tolist()) == {0, 1, 255}
    assert (((known[:, 0] > 0.5) == (answer == 1)) | ~decided).float().mean() > 0.98
    assert shown.shape == images.shape


def test_a_worn_mask_is_still_a_mask_of_much_the_same() -> None:
    random = np.random.default_rng(0)
    mask = np.zeros((96, 128), np.uint8)
    mask[30:70, 40:90] = 1
    found = np.stack([_worn(mask, random) for _ in range(40)])
    assert set(np.unique(found)) <= {0, 1}
    j = (found & mask).sum((1, 2)) / (found | mask).sum((1, 2))
    assert 0.3 < np.median(j) < 0.95
    assert not _worn(np.zeros_like(mask), random).any()


def test_validation_compares_it_with_what_it_starts_from(sources: Sources) -> None:
    lesson = make_lesson()
    figures = lesson.validate(lesson.network.eval(), sources)
    assert set(figures) == {"score", "cut", "first", "cut_corrected", "corrected"}
    assert all(0 <= value <= 1 for value in figures.values())
