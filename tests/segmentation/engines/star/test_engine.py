from typing import Any, ClassVar

import numpy as np
import torch

from segmentation.classical.drawing import sketch_of
from segmentation.classical.picture import Pictures, Sizes
from segmentation.engines.star.cutting import Cutter, CutterConfig, clues_of, finish
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.network import Star, StarConfig
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.types import Interaction
from tests.segmentation.clips import make_clip
from tests.segmentation.engine_conformance import EngineConformance

TINY = StarConfig(widths=(4, 6, 8, 10), blocks=1, key=8, value=8, decoder=(8, 6, 4), skips=(4, 4, 4), embedding=4)
TINY_CUTTER = CutterConfig(widths=(4, 6, 8), skip=2)


def tiny() -> Star:
    torch.manual_seed(0)
    return Star(TINY).eval()


def tiny_cutter() -> Cutter:
    torch.manual_seed(0)
    return Cutter(TINY_CUTTER).eval()


class TestStar(EngineConformance):
    engine = "star"
    options: ClassVar[dict[str, Any]] = {"network": tiny(), "cutter": tiny_cutter()}


def test_the_cutter_has_the_say_over_first_masks_alone() -> None:
    clip = make_clip(length=3, height=48, width=64, num_objects=1)
    frames, strokes = ArrayFrames(clip.frames), first_strokes(clip.truth[1], 1)
    everything = tiny_cutter()
    torch.nn.init.constant_(everything.out.bias, 50.0)  # says object everywhere
    plain, cut = (StarEngine(frames, 1, network=tiny(), cutter=cutter) for cutter in (None, everything))
    first = [next(iter(session.run_round(Interaction(1, strokes)))).labels for session in (plain, cut)]
    assert first[0].mean() < 0.9
    assert first[1].mean() > 0.99
    second = [next(iter(session.run_round(Interaction(1, strokes)))).labels for session in (plain, cut)]
    for before, after in zip(first, second, strict=True):  # a stroke where the mask is right changes nothing
        np.testing.assert_array_equal(before, after)


def test_the_cutter_sees_what_was_drawn_at_any_size() -> None:
    clip = make_clip(length=2, height=50, width=70, num_objects=1)
    pictures = Pictures(ArrayFrames(clip.frames), Sizes.of(50, 70))
    sketch = sketch_of(pictures, 0, first_strokes(clip.truth[0], 1), 1, 0)
    clues = clues_of(sketch, (64, 96))
    assert clues.shape == (4, 64, 96)
    assert clues.min() >= 0
    assert clues.max() <= 1
    assert (sketch.cut | ~sketch.own).all()  # what was drawn is taken
    with torch.no_grad():
        found = finish(tiny_cutter(), pictures[0].grid, sketch)
    assert found.shape == (32, 48)
    assert ((found >= 0) & (found <= 1)).all()
