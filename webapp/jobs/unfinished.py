"""Finds what is left to do in a job before it is submitted, such as frames to look at, lost objects and open pins."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.functions import Coalesce

from webapp.annotation.accepted import accepted_frames
from webapp.annotation.head import head_of
from webapp.annotation.masks import CHUNK, effective, ranges
from webapp.annotation.models import Mask, Pin, Round
from webapp.annotation.to_fix import lost_frames, shown_objects, unsure_frames
from webapp.jobs.looked import looked_at
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.schemas import LostObject, Unfinished


def unfinished(job: Job) -> Unfinished:
    """Return what is left to do in the frames of a job, as it stands now."""
    accepted = accepted_frames(job.video_id)
    frames = set(range(job.first, job.last + 1))
    shown = list(shown_objects(job.video_id, job.first, job.last))
    looked = looked_at(job.video_id, job.assignee_id) | accepted
    pins = Pin.objects.annotate(until=Coalesce("last", "frame")).filter(
        video=job.video_id, frame__lte=job.last, until__gte=job.first, resolved_at=None
    )
    return Unfinished(
        frames=len(frames),
        not_accepted=_spans(frames - accepted),
        no_mask=_spans(frames - {mask.frame for mask in shown}),
        not_looked_at=_spans(frames - looked),
        unsure=_spans(unsure_frames(shown) - accepted),
        lost=[
            LostObject(object=number, spans=_spans(frames_ - accepted))
            for number, frames_ in lost_frames(job.video_id, shown).items()
            if frames_ - accepted
        ],
        changed=_spans(_changed(job)),
        open_pins=list(pins.values_list("pk", flat=True)),
    )


def _changed(job: Job) -> set[int]:
    """Return the frames whose masks were made after somebody accepted or rejected the job for the last time."""
    masks = effective(job.video_id, head_of(job.video_id), job.first, job.last)
    reviews = JobEvent.objects.filter(job=job, action__in=("accept", "reject"))
    last = reviews.order_by("-pk").values_list("at", flat=True).first()
    if last is None:
        return set(masks)
    newer = Round.objects.filter(video=job.video_id, created_at__gt=last).values("pk")
    found: set[int] = set()
    numbers = list(masks.values())
    for start in range(0, len(numbers), CHUNK):
        rows = Mask.objects.filter(pk__in=numbers[start : start + CHUNK], round__in=newer)
        found.update(rows.values_list("frame", flat=True))
    return found


def _spans(frames: Iterable[int]) -> list[tuple[int, int]]:
    return ranges(sorted(frames))
