"""Reads scribble files of the DAVIS challenge for `manage.py annotate`, which makes a round of each frame with
scribbles.
"""

from __future__ import annotations

from pathlib import Path

from segmentation.formats.scribble_json import ScribbleError, read_scribbles
from segmentation.types import Interaction
from webapp.problems import Problem


def interactions_in(path: Path, frame_count: int | None = None) -> tuple[Interaction, ...]:
    """Return the interactions in a scribble file, one for each frame with scribbles, in the order of frames.

    Raises:
        Problem: the file cannot be used, is for a video of another length, or has no scribble. The text names the file.
    """
    try:
        found = read_scribbles(path, frame_count)
    except ScribbleError as error:
        raise Problem("bad_scribbles", f"{error}.") from None
    if not found:
        raise Problem("bad_scribbles", f"{path.name}: it has no scribble on any frame.")
    return found
