"""The newest mask of every frame of a session, whether an engine or a person made it."""

from __future__ import annotations

from collections.abc import Mapping

from segmentation.session.packed_labels import PackedLabels
from segmentation.types import LabelMap


class StandingMasks:
    """The newest mask of every frame.

    Masks of the session's own rounds are kept compressed in memory. Masks of stored rounds are read on each access.
    """

    def __init__(self) -> None:
        self._own = PackedLabels()
        self._stored: dict[int, Mapping[int, LabelMap]] = {}

    def __contains__(self, frame: object) -> bool:
        return frame in self._own or frame in self._stored

    def get(self, frame: int) -> LabelMap | None:
        """Return the newest mask of `frame`, uint8 [H, W], or None if it has none."""
        if frame in self._own:
            return self._own[frame]
        stored = self._stored.get(frame)
        return None if stored is None else stored[frame]

    def store(self, frame: int, labels: LabelMap) -> None:
        self._own[frame] = labels
        self._stored.pop(frame, None)

    def add(self, labels: Mapping[int, LabelMap]) -> None:
        """Make the masks of a stored round, by frame, the newest masks of their frames."""
        for frame in labels:
            self._own.pop(frame, None)
            self._stored[frame] = labels
