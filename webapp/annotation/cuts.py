"""Scene cuts, the first frames of new scenes. The import finds them and people change them. A round stops at them,
unless it is asked to go past them.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from webapp.annotation import changes
from webapp.annotation.bounds import check_frame
from webapp.annotation.head import hold
from webapp.problems import Problem
from webapp.videos.models import Video


@transaction.atomic
def set_cuts(*, video: Video, cuts: Sequence[int]) -> None:
    """Replace the scene cuts of a video. Raises Problem for a frame that cannot begin a new scene."""
    hold(video.pk)
    for frame in cuts:
        check_frame(video, frame)
    if 0 in cuts:
        raise Problem("bad_cut", "The first frame of the video begins its first scene; a cut is a later frame.")
    video.cuts = sorted(set(cuts))
    video.save(update_fields=["cuts"])
    changes.cuts_changed(video)


def span_of_scenes(
    video: Video, frames: Sequence[int], span: tuple[int, int] | None, across_cuts: bool
) -> list[int] | None:
    """Return the span [first, last] that a round may change, or None for the whole video.

    It is `span`, which the person chose (None: the whole video). Unless `across_cuts` is true, only the part from the
    scene of the first frame that was drawn on to the scene of the last one is returned. `frames` are the frames that
    were drawn on, ascending.
    """
    first, last = span or (0, video.frame_count - 1)
    if not across_cuts:
        first = max([first, *(cut for cut in video.cuts if cut <= frames[0])])
        last = min([last, *(cut - 1 for cut in video.cuts if cut > frames[-1])])
    return None if (first, last) == (0, video.frame_count - 1) else [first, last]
