"""Finds the frames of a video that a person should fix: unsure ones, and those in which an object is lost.

Lists show their number. Counting reads all masks of a video, so a worker does it after a change, and the row of the
video keeps the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from webapp.annotation.absence import absent_spans
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.accepted_objects import accepted_objects, frames_by_object
from webapp.annotation.codec import ids_of
from webapp.annotation.counters import COUNT_TO_FIX
from webapp.annotation.head import head_of, hold
from webapp.annotation.masks import CHUNK, effective
from webapp.annotation.models import Mask, Object
from webapp.annotation.state import last_change
from webapp.tasks.sending import send_task
from webapp.videos.models import Video

SURE = 0.7  # From this confidence on a frame needs no fix; the page uses the same number (state/suggest.ts).
PATIENCE = timedelta(seconds=30)  # A task that was sent longer ago may be lost.
MOST_SWEPT = 200
TRIES = 3


@dataclass(frozen=True)
class Shown:
    """The objects in the mask of a frame, each with its confidence in 0..1.

    The confidence is None if the engine gave none, or if a person accepted the object singly.
    """

    frame: int
    objects: dict[int, float | None]


def frames_in(spans: Iterable[Iterable[int]]) -> set[int]:
    """Return the frames of inclusive ranges."""
    return {frame for first, last in spans for frame in range(first, last + 1)}


def shown_objects(video_id: int, first: int = 0, last: int | None = None) -> Iterator[Shown]:
    """Yield what the masks at the head show from frame `first` to `last`, ascending, without decoding their pixels."""
    there = set(Object.objects.filter(video=video_id, deleted_at=None).values_list("number", flat=True))
    head = head_of(video_id)
    accepted = accepted_objects(video_id, head)
    masks = list(effective(video_id, head, first, last).values())
    for start in range(0, len(masks), CHUNK):
        rows = Mask.objects.filter(pk__in=masks[start : start + CHUNK]).order_by("frame")
        for frame, data, confidence in rows.values_list("frame", "data", "confidence"):
            numbers, sure = ids_of(bytes(data)) & there, accepted.get(frame, {})
            known = {n: confidence[n - 1] for n in numbers if n <= len(confidence) and n not in sure}
            yield Shown(frame, {n: known.get(n) for n in numbers})


def unsure_frames(shown: Iterable[Shown]) -> set[int]:
    """Return the frames in which the engine is not sure of an object."""
    return {mask.frame for mask in shown if any(c is not None and c < SURE for c in mask.objects.values())}


def lost_frames(video_id: int, shown: Sequence[Shown]) -> dict[int, set[int]]:
    """Return the frames in which each object is lost, by object id.

    An object is lost in a frame whose mask does not show it, if the mask of an earlier frame does, unless a person
    marked it as absent or accepted it singly there.
    """
    absent = {number: frames_in(spans) for number, spans in absent_spans(video_id).items()}
    accepted = frames_by_object(accepted_objects(video_id, head_of(video_id)))
    found: dict[int, set[int]] = {}
    for number in sorted({number for mask in shown for number in mask.objects}):
        first = next(mask.frame for mask in shown if number in mask.objects)
        gone = {mask.frame for mask in shown if mask.frame > first and number not in mask.objects}
        if left := gone - absent.get(number, set()) - accepted.get(number, set()):
            found[number] = left
    return found


def frames_to_fix(video_id: int) -> set[int]:
    """Return the frames of a video that are unsure or in which an object is lost, without accepted ones."""
    shown = list(shown_objects(video_id))
    lost = lost_frames(video_id, shown).values()
    return unsure_frames(shown).union(*lost) - accepted_frames(video_id)


def count_to_fix(video_id: int) -> None:
    """Store how many frames of a video are to be fixed (`frames_to_fix`). If the video changes meanwhile, count again.

    If the video changes during each of a few tries, the number stays marked as out of date, and the sweep sends the
    task again later.
    """
    for _ in range(TRIES):
        seen = last_change(video_id)
        count = len(frames_to_fix(video_id))
        if _store(video_id, seen, count):
            return


@transaction.atomic
def _store(video_id: int, seen: int, count: int) -> bool:
    video = Video.objects.filter(pk=video_id)
    if not video.exists():
        return True
    hold(video_id)
    if last_change(video_id) != seen:
        return False
    video.update(to_fix=count, to_fix_stale=False)
    return True


def sweep_to_fix() -> None:
    """Send the task that counts the frames to fix of each video whose count has been out of date for long.

    Its task was probably lost or never sent, or it gave up because the video kept changing.
    """
    late = Video.objects.filter(to_fix_stale=True, deleted_at=None, changed_at__lt=Now() - PATIENCE)
    for video_id in late.order_by("pk").values_list("pk", flat=True)[:MOST_SWEPT]:
        send_task(COUNT_TO_FIX, video_id)
