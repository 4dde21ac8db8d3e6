"""Turns clicks and boxes into scribbles, for engines that understand scribbles only.

A click becomes a scribble of one point. A box becomes background scribbles around it and, if its object has neither a
scribble nor a positive click in the frame, two crossed scribbles through its middle. In addition,
`constraints.Constraints` removes the object's pixels outside of the box.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from segmentation.types import Box, Click, Interaction, LabelMap, Path, Scribble

CROSS = 0.4  # length of the scribbles through the middle of a box, as a fraction of its sides
MARGIN = 0.01  # distance between a box and the scribbles around it, as a fraction of the frame's sides
STEPS = 64  # points of a scribble along one side of a box


def has_prompts(interaction: Interaction) -> bool:
    return bool(interaction.scribbles or interaction.clicks or interaction.boxes)


def as_scribbles(interaction: Interaction, standing: LabelMap) -> Interaction:
    """Return the interaction with its clicks and boxes converted to scribbles.

    A negative click on a pixel of another object becomes a scribble for that object, any other negative click a
    background scribble.

    Args:
        standing: the mask of the frame before the interaction, uint8 [H, W].
    """
    if not interaction.clicks and not interaction.boxes:
        return interaction
    drawn = {s.object_id for s in interaction.scribbles} | {c.object_id for c in interaction.clicks if c.positive}
    scribbles = list(interaction.scribbles)
    for box in interaction.boxes:
        scribbles += _around(box, standing)
        if box.object_id not in drawn:
            scribbles += _through(box)
    scribbles += [_dot(click, standing) for click in interaction.clicks]
    return Interaction(interaction.frame, tuple(scribbles))


def strokes_of(labels: LabelMap, ids: frozenset[int]) -> tuple[Scribble, ...]:
    """Return, for each of the objects `ids` that a mask shows, a scribble along the middle of its largest part."""
    from segmentation.evaluation.stroke import largest_part, middle_path  # It needs SciPy.

    parts = ((number, largest_part(labels == number)) for number in sorted(ids))
    return tuple(Scribble(number, middle_path(part)) for number, part in parts if part.any())


def _dot(click: Click, standing: LabelMap) -> Scribble:
    path = np.array([click.point], np.float64)
    if click.positive:
        return Scribble(click.object_id, path, click.keeps)
    here = int(_at(path, standing)[0])
    return Scribble(0 if here == click.object_id else here, path, click.keeps)


def _through(box: Box) -> Iterator[Scribble]:
    x0, y0, x1, y1 = box.corners
    x, y, across, down = (x0 + x1) / 2, (y0 + y1) / 2, CROSS * (x1 - x0) / 2, CROSS * (y1 - y0) / 2
    yield Scribble(box.object_id, np.array([(x - across, y), (x + across, y)]), box.keeps)
    yield Scribble(box.object_id, np.array([(x, y - down), (x, y + down)]), box.keeps)


def _around(box: Box, standing: LabelMap) -> Iterator[Scribble]:
    """Yield background scribbles around a box, except where the mask so far, `standing`, shows another object."""
    x0, y0, x1, y1 = box.corners
    x0, y0, x1, y1 = x0 - MARGIN, y0 - MARGIN, x1 + MARGIN, y1 + MARGIN
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    for begin, end in pairwise(corners):
        side = np.linspace(begin, end, STEPS)
        inside = ((side >= 0) & (side <= 1)).all(axis=1)
        free = np.zeros(STEPS, bool)
        free[inside] = np.isin(_at(side[inside], standing), (0, box.object_id))
        for run in np.split(np.arange(STEPS), np.flatnonzero(np.diff(free.astype(np.int8))) + 1):
            if free[run[0]]:
                yield Scribble(0, side[run], box.keeps)


def _at(points: Path, labels: LabelMap) -> LabelMap:
    height, width = labels.shape
    x, y = (points * (width - 1, height - 1)).astype(np.intp).T
    return labels[y, x]
