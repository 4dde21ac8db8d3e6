"""Review by sample: draws some of the finished jobs, or some frames of each job, that a reviewer is to look at."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeVar

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation.head import hold, hold_all
from webapp.jobs.assigning import reviewer_of
from webapp.jobs.models import Job
from webapp.jobs.moves import save
from webapp.jobs.states import ANNOTATED, IN_REVIEW, SUBMITTED, place_of
from webapp.projects.access import project_for
from webapp.projects.models import Project, Role

Of = Literal["jobs", "frames"]
Item = TypeVar("Item")


def draw(items: Sequence[Item], share: float, chance: random.Random) -> list[Item]:
    """Draw a share of the items, each as likely as any other, in their order.

    The number is rounded up or down by chance, so that on average exactly the share is drawn, however few items there
    are.
    """
    wanted = len(items) * share
    count = math.floor(wanted) + (chance.random() < wanted % 1)
    return [items[index] for index in sorted(chance.sample(range(len(items)), min(count, len(items))))]


def draw_frames(first: int, last: int, share: float, chance: random.Random) -> list[int]:
    """Draw at least one frame of a job, one from each of equally long parts, so that no long part is left out."""
    frames = last - first + 1
    count = min(max(1, round(frames * share)), frames)
    edges = [first + frames * part // count for part in range(count + 1)]
    return [chance.randrange(start, end) for start, end in pairwise(edges)]


@transaction.atomic
def draw_sample(
    *, by: User, project_id: int, share: float, of: Of, seed: int, reviewer_id: int | None = None
) -> list[Job]:
    """Send a sample of the finished work in a project to review. Return the jobs to review.

    With `of` "jobs", the sample is a share of the jobs of each annotator that were completed without review. With
    "frames", it is all of these jobs and those in validation, each with the frames to look at in `Job.sample`. The
    same `seed` draws the same sample from the same jobs.
    """
    project_for(by, project_id, Role.MANAGER)
    Project.objects.select_for_update(no_key=True).get(pk=project_id)
    reviewer = None if reviewer_id is None else reviewer_of(project_id, reviewer_id)
    chance = random.Random(seed)
    jobs = Job.objects.filter(video__project=project_id, video__deleted_at=None).order_by("pk")
    ended = [job for job in jobs.select_related("video__project") if place_of(job) in (ANNOTATED, SUBMITTED, IN_REVIEW)]
    if of == "jobs":
        theirs: defaultdict[int | None, list[Job]] = defaultdict(list)
        for job in ended:
            if place_of(job) == ANNOTATED:
                theirs[job.assignee_id].append(job)
        chosen = [job for group in theirs.values() for job in draw(group, share, chance)]
    else:
        chosen = ended
    hold_all({job.video_id for job in chosen})
    for job in chosen:
        _send(job, by, reviewer, draw_frames(job.first, job.last, share, chance) if of == "frames" else None)
    return chosen


def _send(job: Job, by: User, reviewer: User | None, frames: list[int] | None) -> None:
    hold(job.video_id)
    job.refresh_from_db()
    before = place_of(job)
    if before == ANNOTATED:
        job.stage, job.state = SUBMITTED.stage, SUBMITTED.state
    job.reviewer = reviewer or job.reviewer
    job.sample = frames
    save(job, by, "sample", before)
