"""A clip with the first scribbles on it, for engines that need no more than these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.training.clips import Clip
from segmentation.training.synthetic_scribbles import first_scribbles
from segmentation.types import Scribble


@dataclass(frozen=True)
class ScribbledClip:
    """`strokes` are on frame 0: on every object, now and then on the background."""

    clip: Clip
    strokes: tuple[Scribble, ...]


def scribble(clip: Clip, random: np.random.Generator) -> ScribbledClip:
    return ScribbledClip(clip, first_scribbles(random, clip.labels[0], clip.num_objects))
