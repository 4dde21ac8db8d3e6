"""Makes training clips that have the scribbles of a first round on their first frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.training.clips import Clip
from segmentation.training.synthetic_scribbles import first_scribbles
from segmentation.types import Scribble


@dataclass(frozen=True)
class ScribbledClip:
    """A clip with scribbles (`strokes`) on frame 0: on every object, and sometimes on the background."""

    clip: Clip
    strokes: tuple[Scribble, ...]


def scribble(clip: Clip, random: np.random.Generator) -> ScribbledClip:
    return ScribbledClip(clip, first_scribbles(random, clip.labels[0], clip.num_objects))
