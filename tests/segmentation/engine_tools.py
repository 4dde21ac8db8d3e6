"""Helpers for tests of engines: stored rounds, comparison of mask updates, and frames that record reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from segmentation import Interaction, MaskUpdate, PastRound
from segmentation.frames import ArrayFrames


def past_round(
    name: str, drawn: Interaction | Sequence[Interaction], objects: int, updates: Iterable[MaskUpdate]
) -> PastRound:
    """Make a stored round of the engine `name` from what was drawn and the updates that the round yielded.

    The masks are copied, so that nothing is shared with the session.
    """
    stored = list(updates)
    return PastRound(
        engine=name,
        interactions=(drawn,) if isinstance(drawn, Interaction) else tuple(drawn),
        num_objects=objects,
        labels={u.frame: u.labels.copy() for u in stored},
        engine_states={u.frame: bytes(u.engine_state) for u in stored if u.engine_state is not None},
    )


def assert_same_updates(kept: Sequence[MaskUpdate], rebuilt: Sequence[MaskUpdate]) -> None:
    assert [u.frame for u in kept] == [u.frame for u in rebuilt]
    for a, b in zip(kept, rebuilt, strict=True):
        np.testing.assert_array_equal(a.labels, b.labels, err_msg=f"labels of frame {a.frame}")
        assert a.confidence == b.confidence, f"confidence of frame {a.frame}"
        assert a.engine_state == b.engine_state, f"engine state of frame {a.frame}"
        assert a.lost == b.lost, f"lost objects of frame {a.frame}"


class CountingFrames(ArrayFrames):
    """Frames that record which of them were read."""

    def __init__(self, frames: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        super().__init__(frames)
        self.read: list[int] = []

    def __getitem__(self, index: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        self.read.append(index)
        return super().__getitem__(index)
