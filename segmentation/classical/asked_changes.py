"""Limits the changes of a corrected mask to what its scribbles ask for, and undoes all other changes.

A correction must not make the frame worse in which it is drawn. A scribble asks for pixels for its own object (or for
the background), near itself. So it takes no pixel from its own object, moves none between other objects, and changes
nothing far away: there the mask stays as it was, whatever an engine computes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.classical.correction_reach import asked_region
from segmentation.scribbles import NO_SCRIBBLE, rasterise
from segmentation.types import LabelMap, Scribble


def with_asked_changes(before: LabelMap, after: LabelMap, scribbles: Sequence[Scribble]) -> LabelMap:
    """Return the mask `after`, with the pixels of `before` where no scribble asked for the change.

    A scribble asks for the pixels that get its id within `asked_region`. An object that is not in `before` may appear
    anywhere.

    Args:
        before: the mask of the frame before the interaction, uint8 [H, W].
        after: the mask that was computed from the interaction, uint8 [H, W].
        scribbles: the scribbles of the interaction.
    """
    changed = before != after
    if not changed.any() or not before.any():
        return after
    asked = np.zeros_like(changed)
    for scribble in scribbles:
        gained = after == scribble.object_id
        right = before == scribble.object_id
        if right.any():
            gained &= asked_region(rasterise([scribble], *right.shape) != NO_SCRIBBLE, right)
        asked |= gained
    return np.where(asked | ~changed, after, before)
