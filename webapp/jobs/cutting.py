"""Cuts a video into jobs: by length, at its scene cuts, or at given ranges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.audit.entries import Thing, record
from webapp.jobs.models import Job, JobEvent, JobState, Stage
from webapp.problems import Problem
from webapp.projects.models import Role
from webapp.videos.access import video_for
from webapp.videos.models import Video, VideoState

Range = tuple[int, int]  # The first and the last frame, inclusive.
MOST_JOBS = 500


def ranges_by_length(frame_count: int, length: int, overlap: int) -> list[Range]:
    """Return ranges of at most `length` frames that share `overlap` frames with the one before."""
    if overlap >= length:
        raise Problem(
            "bad_ranges", f"An overlap of {overlap} frames needs jobs that are longer than that.", field="overlap"
        )
    step = length - overlap
    firsts = range(0, max(frame_count - overlap, 1), step)
    return [(first, min(first + length, frame_count) - 1) for first in firsts]


def ranges_at_cuts(frame_count: int, cuts: Sequence[int], overlap: int) -> list[Range]:
    """Return one range for each scene. Each but the first begins `overlap` frames before its scene."""
    firsts = [0, *cuts]
    return [
        (max(first - overlap, 0), following - 1)
        for first, following in zip(firsts, [*firsts[1:], frame_count], strict=True)
    ]


@transaction.atomic
def cut_video(
    *,
    by: User,
    video_id: int,
    length: int | None = None,
    at_cuts: bool = False,
    ranges: Sequence[Range] | None = None,
    overlap: int = 0,
) -> list[Job]:
    """Replace the jobs of a video, on which nobody has begun to work, by jobs of parts of it.

    Exactly one of `length`, `at_cuts` and `ranges` says which parts. Raises Problem: "bad_ranges" if none or several of
    them do, for ranges that leave the video, contain one another or share more than `overlap` frames, and for more than
    500 of them; "not_ready" (409); "work_begun" (409) if a job has been begun.
    """
    video = video_for(by, video_id, Role.MANAGER)
    hold(video.pk)
    if video.state != VideoState.READY:
        raise Problem("not_ready", "This video is not ready yet. Wait for its import to end.", 409)
    if sum((length is not None, at_cuts, ranges is not None)) != 1:
        raise Problem("bad_ranges", "Say either a length, or the scene cuts, or the ranges.")
    before = list(Job.objects.filter(video=video).select_related("assignee"))
    begun = next((job for job in before if (job.stage, job.state) != (Stage.ANNOTATION, JobState.NEW)), None)
    if begun is not None:
        text = f"The job of the frames {begun.first} to {begun.last} has been begun, so the video cannot be cut anew."
        raise Problem("work_begun", text, 409)
    if length is not None:
        wanted = ranges_by_length(video.frame_count, length, overlap)
    else:
        wanted = ranges_at_cuts(video.frame_count, video.cuts, overlap) if ranges is None else sorted(ranges)
    _check(video, wanted, overlap)
    return _replace(video, by, before, wanted)


def _check(video: Video, ranges: Sequence[Range], overlap: int) -> None:
    if not 1 <= len(ranges) <= MOST_JOBS:
        raise Problem("bad_ranges", f"A video has 1 to {MOST_JOBS} jobs; this would make {len(ranges)}.")
    for first, last in ranges:
        if not 0 <= first <= last < video.frame_count:
            text = f"This video has the frames 0 to {video.frame_count - 1}; the range {first} to {last} leaves it."
            raise Problem("bad_ranges", text, field="ranges")
    for (first, last), (following, end) in pairwise(ranges):
        shared = last - following + 1
        if shared > overlap or end <= last:
            text = f"The ranges {first} to {last} and {following} to {end} overlap by {shared} frames, not {overlap}."
            raise Problem("bad_ranges", text, field="ranges")


def _replace(video: Video, by: User, before: Sequence[Job], ranges: Sequence[Range]) -> list[Job]:
    """Delete the jobs `before` and create others, which keep what was the same for all, such as the assignee."""
    kept = {name: _shared(before, name) for name in ("assignee", "reviewer", "priority", "due", "instructions")}
    given = {name: value for name, value in kept.items() if value is not None}
    Job.objects.filter(pk__in=[job.pk for job in before]).delete()
    made = []
    for position, (first, last) in enumerate(ranges):
        job = Job.objects.create(video=video, first=first, last=last, position=position, **given)
        JobEvent.objects.create(
            job=job,
            by=by,
            action="cut",
            from_stage=job.stage,
            from_state=job.state,
            to_stage=job.stage,
            to_state=job.state,
        )
        made.append(job)
    thing = Thing("video", video.pk, video.name)
    record(by, "job.cut", thing, project_id=video.project_id, before=len(before), after=len(made))
    changes.jobs_changed(video.pk)
    return made


def _shared(jobs: Sequence[Job], name: str) -> object:
    """Return the value that all jobs have in a column, or None if they differ."""
    values = {getattr(job, name) for job in jobs}
    return values.pop() if len(values) == 1 else None
