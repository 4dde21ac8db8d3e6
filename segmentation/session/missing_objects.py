"""Adds new objects to the drawn frames of a round in which they are not drawn.

In a round with several drawn frames, a new object may be drawn in some of them only. Each frame gets only one mask in a
round, and the other frames are computed from the drawn ones, so every drawn frame must have all objects. A missing
object is propagated from a frame in which it is drawn to those in which it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol

import numpy as np

from segmentation.types import Interaction, LabelMap, MaskUpdate


class Session(Protocol):
    """The methods of a session of `segmentation.engine.Engine` that this module calls."""

    def run_round(self, interactions: Interaction, span: tuple[int, int]) -> Iterator[MaskUpdate]: ...

    def close(self) -> None: ...


class Missing(NamedTuple):
    """New objects that `interaction` draws in its frame, and the other drawn frames, `targets`, that need them."""

    interaction: Interaction
    targets: Mapping[int, frozenset[int]]  # ids of the missing objects by frame

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last frame through which the objects must be propagated."""
        frames = {self.interaction.frame, *self.targets}
        return min(frames), max(frames)


def missing_objects(interactions: Sequence[Interaction], known: Collection[int]) -> list[Missing]:
    """Return which new objects are missing in which drawn frames, grouped by the frame to propagate them from.

    That frame is, of those in which an object is drawn, the nearest to the frame that lacks it.

    Args:
        interactions: what was drawn in the round, one interaction for each drawn frame.
        known: ids of the objects of earlier rounds, which are not new: the masks of the frames have them already.
    """
    drawn = {each.frame: _drawn(each) - set(known) for each in interactions}
    everybody = frozenset[int]().union(*drawn.values())
    wanted: dict[int, dict[int, set[int]]] = {}
    for frame, here in drawn.items():
        for object_id in sorted(everybody - here):
            source = min((f for f in drawn if object_id in drawn[f]), key=lambda f: (abs(f - frame), f))
            wanted.setdefault(source, {}).setdefault(frame, set()).add(object_id)
    return [
        Missing(each, {frame: frozenset(ids) for frame, ids in wanted[each.frame].items()})
        for each in interactions
        if each.frame in wanted
    ]


def carried_objects(missing: Sequence[Missing], another: Callable[[], Session]) -> dict[int, LabelMap]:
    """Propagate objects to the drawn frames in which they are missing.

    Args:
        another: opens a session of the same engine and video without rounds, in which the objects are propagated.

    Returns:
        a mask with the missing objects only, uint8 [H, W], by drawn frame.
    """
    found: dict[int, LabelMap] = {}
    for each in missing:
        with closing(another()) as session:
            for update in session.run_round(each.interaction, each.span):
                ids = each.targets.get(update.frame)
                if ids:
                    found[update.frame] = _with_objects(found.get(update.frame), update.labels, ids)
    return found


def _with_objects(fill: LabelMap | None, labels: LabelMap, ids: frozenset[int]) -> LabelMap:
    """Return the mask `fill` with the pixels of the objects `ids` in `labels` added where it is 0.

    None stands for an empty mask.
    """
    pixels = np.where(np.isin(labels, list(ids)), labels, np.uint8(0))
    return pixels if fill is None else np.where(fill > 0, fill, pixels)


def _drawn(interaction: Interaction) -> frozenset[int]:
    prompts = (
        *(each.object_id for each in interaction.scribbles),
        *(each.object_id for each in interaction.clicks if each.positive),
        *(each.object_id for each in interaction.boxes),
    )
    return frozenset(int(number) for number in prompts) - {0}
