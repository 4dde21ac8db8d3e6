"""The frames that a person may change. In a project whose annotators see only their jobs, all other frames are locked
for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from webapp.accounts.models import User
from webapp.jobs.models import Job, Stage
from webapp.jobs.moves import shown
from webapp.jobs.states import is_open
from webapp.problems import Problem
from webapp.projects.access import is_limited
from webapp.projects.models import Role
from webapp.videos.models import Video

Range = tuple[int, int]  # The first and the last frame, inclusive.


def own_ranges(user: User, role: Role, video: Video) -> list[Range] | None:
    """Return the ranges of frames that a member may change, ascending, adjacent ones joined. None: the whole video."""
    if not is_limited(video.project, role):
        return None
    jobs = [job for job in Job.objects.filter(video=video, assignee=user).order_by("first") if is_open(job)]
    found: list[Range] = []
    for job in jobs:
        if found and job.first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], job.last))
        else:
            found.append((job.first, job.last))
    return found


def range_around(user: User, video: Video, ranges: Sequence[Range], first: int, last: int) -> Range:
    """Return the range that contains the frames from `first` to `last`. Raises Problem "locked_frame"."""
    around = next((span for span in ranges if span[0] <= first and last <= span[1]), None)
    if around is None:
        raise _locked(user, video, ranges, first, last)
    return around


def _locked(user: User, video: Video, ranges: Sequence[Range], first: int, last: int) -> Problem:
    frame = next((frame for frame in (first, last) if not any(a <= frame <= b for a, b in ranges)), first)
    job = Job.objects.filter(video=video, first__lte=frame, last__gte=frame).select_related("assignee").first()
    yours = " and ".join(f"{a} to {b}" for a, b in ranges)
    text = f"You can change the frames {yours} here." if ranges else "You have no open job in this video."
    if job is not None and job.assignee_id == user.pk:
        turn = "Take it back first." if job.stage != Stage.ACCEPTANCE else "A manager can reopen it."
        text = f"Your job with frame {frame} is {shown(job)}. {turn}"
    elif job is not None and job.assignee is not None:
        text = f"Frame {frame} is in the job of {job.assignee.shown_name}. {text}"
    else:
        text = f"Frame {frame} is in no job of yours. {text}"
    return Problem("locked_frame", text, 409)
