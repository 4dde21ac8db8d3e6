"""How STAR's cutter learns."""

from dataclasses import replace

import numpy as np
import torch

from segmentation.training.clips import ClipConfig
from segmentation.training.lessons.star_cut import Lesson
from segmentation.training.plan import load_plan
from segmentation.training.sources import Sources
from tests.segmentation.training.learning import learn, make_clips, untouched

CLIPS = ClipConfig(frames=2, height=64, width=96, max_objects=2)


def make_lesson(**options: object) -> Lesson:
    torch.manual_seed(0)
    plan = replace(load_plan("star-cut", "compact"), network={"widths": [8, 12, 16], "skip": 4})
    return Lesson(plan, torch.device("cpu"), **options)  # type: ignore[arg-type]


def test_it_learns_and_every_parameter_does(sources: Sources) -> None:
    lesson = make_lesson()
    clips = make_clips(lesson, sources, CLIPS, 4)
    losses = learn(lesson, clips, steps=25)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])
    assert not untouched(lesson.network)


def test_a_sketch_has_clues_and_truth_of_every_object(sources: Sources) -> None:
    lesson = make_lesson()
    for sketched in make_clips(lesson, sources, CLIPS, 4):
        count = len(sketched.truth)
        assert sketched.clues.shape == (count, 4, 64, 96)
        assert sketched.truth.shape == (count, 64, 96)
        assert set(np.unique(sketched.truth)) <= {0, 1, 255}
        for clues, truth in zip(sketched.clues, sketched.truth, strict=True):
            own = clues[2] > 250  # three pixels across, and resized
            assert (truth[own] == 1).mean() > 0.6


def test_validation_compares_it_with_what_it_starts_from(sources: Sources) -> None:
    lesson = make_lesson()
    figures = lesson.validate(lesson.network.eval(), sources)
    assert set(figures) == {"score", "cut"}
    assert all(0 <= value <= 1 for value in figures.values())
