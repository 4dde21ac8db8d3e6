"""Absent spans: frames in which a person says that an object is not visible.

Engines give the object no pixel there, and exports leave it out. Masks that are already stored do not change, so they
show the object again if the mark is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from webapp.annotation import changes
from webapp.annotation.accepted import accepted_frames, all_accepted
from webapp.annotation.accepted_objects import accepted_objects, frames_by_object
from webapp.annotation.bounds import check_span
from webapp.annotation.codec import LabelMap
from webapp.annotation.head import hold
from webapp.annotation.masks import ranges
from webapp.annotation.models import Object
from webapp.prepared import Query
from webapp.problems import Problem
from webapp.videos.models import Video

Spans = Sequence[Sequence[int]]  # Inclusive ranges [first, last].


@transaction.atomic
def mark_absent(*, video: Video, object_id: int | None, first: int, last: int, absent: bool) -> None:
    """Mark an object as not visible in the frames from `first` to `last` (inclusive).

    If `object_id` is None, all objects that are not locked are marked. If `absent` is False, the mark is taken back.
    Accepted frames stay as they are, and so do those in which the object is accepted singly.

    Raises Problem: "bad_span"; "bad_frame"; "not_ready"; "no_object"; "locked"; "accepted" if nothing in the span may
    change.
    """
    head = hold(video.pk)
    check_span(video, first, last)
    objects = Object.objects.filter(video=video, deleted_at=None)
    if object_id is None:
        chosen = [instance for instance in objects if not instance.locked]
    else:
        chosen = list(objects.filter(number=object_id))
        if not chosen:
            raise Problem("no_object", f"Object {object_id} is not there any more. Choose another one.", 409)
        if chosen[0].locked:
            raise Problem("locked", f"{chosen[0].name} is locked. Unlock it first.", 409)
    whole = accepted_frames(video.pk)
    single = frames_by_object(accepted_objects(video.pk, head.round_id))
    open_frames = set(range(first, last + 1)) - whole
    free = {instance: open_frames - single.get(instance.number, set()) for instance in chosen}
    if chosen and not any(free.values()):
        raise all_accepted(first, last, whole)
    for instance, span in free.items():
        frames = {frame for start, end in instance.absent for frame in range(start, end + 1)}
        spans = [list(pair) for pair in ranges(sorted(frames | span if absent else frames - span))]
        if spans != instance.absent:
            instance.absent = spans
            instance.save(update_fields=["absent"])
            changes.absent_changed(instance)


def absent_spans(video_id: int) -> dict[int, Spans]:
    """Return the absent spans of the objects of a video that have any and are not deleted, by object id."""
    return {number: spans for number, _, spans in decided_of(video_id) if spans}


def decided_of(video_id: int) -> list[tuple[int, bool, Spans]]:
    """Return the id, the lock and the absent spans of each object of a video that is not deleted, by id."""
    return _DECIDED.rows(video_id=video_id)


_DECIDED = Query(
    lambda video_id: (
        Object.objects.filter(video_id=video_id, deleted_at=None)
        .order_by("number")
        .values_list("number", "locked", "absent")
    ),
    video_id=int,
)


def absent_in(spans: Mapping[int, Spans], frame: int) -> set[int]:
    """Return the ids of the objects that are absent in `frame`. `spans` are the absent spans by object id."""
    return {number for number, ranges_ in spans.items() if any(first <= frame <= last for first, last in ranges_)}


def without_absent(labels: LabelMap, frame: int, spans: Mapping[int, Spans]) -> LabelMap:
    """Return a label map without the objects that are absent in `frame`."""
    gone = absent_in(spans, frame)
    if not gone:
        return labels
    labels = labels.copy()
    for number in gone:
        labels[labels == number] = 0
    return labels
