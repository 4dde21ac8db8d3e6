"""Finds out which new objects are missing in the drawn frames of a round, because they are drawn in others of them.

Each frame of a round gets one mask only. So a drawn frame needs all objects before its neighbours are computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol

import numpy as np

from segmentation.types import Interaction, LabelMap, MaskUpdate


class Session(Protocol):
    """What is needed of an engine here; `segmentation.engine.Engine` has it."""

    def run_round(self, interactions: Interaction, span: tuple[int, int]) -> Iterator[MaskUpdate]: ...

    def close(self) -> None: ...


class Missing(NamedTuple):
    """New objects that are drawn in the frame of `interaction` and are missing in the drawn frames `targets`."""

    interaction: Interaction
    targets: Mapping[int, frozenset[int]]  # the missing objects by frame

    @property
    def span(self) -> tuple[int, int]:
        """The frames through which the objects must be carried, both included."""
        frames = {self.interaction.frame, *self.targets}
        return min(frames), max(frames)


def missing_objects(interactions: Sequence[Interaction], known: Collection[int]) -> list[Missing]:
    """Return what is missing, each object from the nearest frame in which it is drawn.

    Args:
        interactions: what was drawn, one for each drawn frame.
        known: objects of earlier rounds, whose masks the frames have already.
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
    """Carry objects to the drawn frames in which they are missing, and return their masks by frame.

    Args:
        another: opens a session of the same engine and video that has no rounds, so that the session of the round stays
            as it is.
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
    """Add the pixels of objects to a mask `fill`, where it has none; None is an empty mask."""
    pixels = np.where(np.isin(labels, list(ids)), labels, np.uint8(0))
    return pixels if fill is None else np.where(fill > 0, fill, pixels)


def _drawn(interaction: Interaction) -> frozenset[int]:
    prompts = (
        *(each.object_id for each in interaction.scribbles),
        *(each.object_id for each in interaction.clicks if each.positive),
        *(each.object_id for each in interaction.boxes),
    )
    return frozenset(int(number) for number in prompts) - {0}
