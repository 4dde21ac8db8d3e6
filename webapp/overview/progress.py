"""Computes how far a project is: its videos and jobs by state, its frames, and the jobs left at the end of each day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Max, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from webapp.accounts.models import User
from webapp.jobs.models import Job, JobEvent, JobState
from webapp.videos.access import videos_of
from webapp.videos.models import VideoState

MOST_DAYS = 120


@dataclass(frozen=True)
class Day:
    """How many of the present jobs were not finished at the end of a day, and how many frames these jobs have.

    A job counts on earlier days, too, when it did not exist yet.
    """

    day: date
    jobs: int
    frames: int


@dataclass(frozen=True)
class Progress:
    """The figures of those videos of a project that a person sees, without archived ones, copies and the trash.

    `jobs` counts the jobs of videos that are imported, by "stage/state". `late` counts those that are not finished and
    whose due date has passed. A job is finished when it is accepted, or submitted where nobody reviews.
    """

    videos: dict[str, int]
    frames: int
    accepted_frames: int
    jobs: dict[str, int]
    late: int
    days: list[Day]


def progress_of(user: User, project_id: int) -> Progress:
    """Return the progress of those videos of a project that `user` sees, without archived ones and copies.

    The number of queries does not depend on the number of videos.
    """
    videos = videos_of(user).filter(project_id=project_id, archived_at=None, is_copy=False)
    states = dict(videos.order_by().values_list("state").annotate(n=Count("pk")))
    ready = videos.filter(state=VideoState.READY)
    frames = ready.aggregate(frames=Sum("frame_count"), accepted=Sum("accepted_count"))
    jobs = Job.objects.filter(video__in=ready.values("pk"))
    places = jobs.order_by().values_list("stage", "state").annotate(n=Count("pk"))
    late = jobs.filter(due__lt=timezone.localdate()).exclude(state=JobState.COMPLETED).count()
    return Progress(
        videos=states,
        frames=frames["frames"] or 0,
        accepted_frames=frames["accepted"] or 0,
        jobs={f"{stage}/{state}": n for stage, state, n in places},
        late=late,
        days=_burn_down(list(jobs.values_list("pk", "first", "last", "state")), user, project_id),
    )


def _burn_down(jobs: list[tuple[int, int, int, str]], user: User, project_id: int) -> list[Day]:
    """Return what was left on each day, from the day before the first job was finished until today.

    These are at most `MOST_DAYS` days, the newest ones.
    """
    length = {pk: last - first + 1 for pk, first, last, _ in jobs}
    finished = {pk for pk, _, _, state in jobs if state == JobState.COMPLETED}
    videos = videos_of(user).filter(project_id=project_id, is_copy=False).values("pk")
    events = JobEvent.objects.filter(job__video__in=videos, to_state=JobState.COMPLETED).exclude(
        from_state=F("to_state")
    )
    ends = events.order_by().values("job").annotate(day=TruncDate(Max("at")))
    jobs_on: Counter[date] = Counter()
    frames_on: Counter[date] = Counter()
    for job, day in ends.values_list("job", "day"):
        if job in finished:
            jobs_on[day] += 1
            frames_on[day] += length[job]
    today = timezone.localdate()
    left_jobs = len(jobs) - len(finished)
    left_frames = sum(length[pk] for pk in length if pk not in finished)
    first = min(jobs_on, default=today) - timedelta(days=1)
    found = []
    for back in range(min((today - first).days, MOST_DAYS - 1) + 1):
        day = today - timedelta(days=back)
        found.append(Day(day, left_jobs, left_frames))
        left_jobs += jobs_on[day]
        left_frames += frames_on[day]
    return found[::-1]
