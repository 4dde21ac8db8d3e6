"""What is left to do in a job before it is submitted: frames to look at or to accept, lost objects, open pins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from webapp.annotation.absence import absent_spans
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.codec import ids_of
from webapp.annotation.head import head_of
from webapp.annotation.masks import CHUNK, effective, ranges
from webapp.annotation.models import Mask, Object, Pin, Round
from webapp.jobs.looked import frames_in, looked_at
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.schemas import LostObject, Unfinished

SURE = 0.7  # From this confidence on a frame needs no fix; the page uses the same number (state/suggest.ts).


@dataclass(frozen=True)
class _Shown:
    """The objects in the mask of a frame, each with its confidence in 0..1; None if the engine gave none."""

    frame: int
    objects: dict[int, float | None]


def unfinished(job: Job) -> Unfinished:
    """Return what is left to do in the frames of a job, as it stands now."""
    accepted = accepted_frames(job.video_id)
    frames = set(range(job.first, job.last + 1))
    shown = list(_shown(job))
    unsure = {one.frame for one in shown if any(c is not None and c < SURE for c in one.objects.values())}
    looked = looked_at(job.video_id, job.assignee_id) | accepted
    pins = Pin.objects.filter(video=job.video_id, frame__gte=job.first, frame__lte=job.last, resolved_at=None)
    return Unfinished(
        frames=len(frames),
        not_accepted=_spans(frames - accepted),
        no_mask=_spans(frames - {one.frame for one in shown}),
        not_looked_at=_spans(frames - looked),
        unsure=_spans(unsure - accepted),
        lost=list(_lost(job, shown, accepted)),
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


def _shown(job: Job) -> Iterator[_Shown]:
    """Yield what the masks of the job's frames show, ascending, without decoding their pixels."""
    there = set(Object.objects.filter(video=job.video_id, deleted_at=None).values_list("number", flat=True))
    masks = list(effective(job.video_id, head_of(job.video_id), job.first, job.last).values())
    for start in range(0, len(masks), CHUNK):
        rows = Mask.objects.filter(pk__in=masks[start : start + CHUNK]).order_by("frame")
        for frame, data, confidence in rows.values_list("frame", "data", "confidence"):
            numbers = ids_of(bytes(data)) & there
            yield _Shown(frame, {n: confidence[n - 1] if n <= len(confidence) else None for n in numbers})


def _lost(job: Job, shown: list[_Shown], accepted: set[int]) -> Iterator[LostObject]:
    """Yield the objects that are gone after the first frame that shows them, where nobody marked them as absent."""
    absent = {number: frames_in(spans) for number, spans in absent_spans(job.video_id).items()}
    numbers = sorted({number for one in shown for number in one.objects})
    for number in numbers:
        first = next(one.frame for one in shown if number in one.objects)
        gone = {one.frame for one in shown if one.frame > first and number not in one.objects}
        if left := gone - absent.get(number, set()) - accepted:
            yield LostObject(object=number, spans=_spans(left))
