"""A round of a session of scripts and notebooks, which computes its masks while a script iterates over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from segmentation.session.packed_labels import PackedLabels
from segmentation.types import MaskUpdate


class Round(Iterator[MaskUpdate]):
    """A round that computes masks while it is iterated: first of the drawn frames, then of the others, outward.

    The loop may be left early: the masks so far stay, and the round ends by `stop` or by the session's next call that
    computes or changes something.

    Attributes:
        done: how many masks the round has computed so far.
        total: how many masks it computes at most: one for each frame in its span and direction that is not locked.
    """

    def __init__(self, updates: Iterator[MaskUpdate], masks: PackedLabels, total: int) -> None:
        self.done = 0
        self.total = total
        self._updates = updates
        self._masks = masks

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MaskUpdate:
        update = next(self._updates)
        self._masks[update.frame] = update.labels
        self.done += 1
        return update

    def __length_hint__(self) -> int:
        return self.total - self.done

    def run(self) -> int:
        """Compute the rest of the round, and return how many masks the whole round has computed."""
        for _ in self:
            pass
        return self.done

    def stop(self) -> None:
        """End the round. The masks that it has computed stay."""
        close = getattr(self._updates, "close", None)
        if close is not None:
            close()
