"""Writes the change log of a video: each function appends the message that the video's sockets are sent about a write.

It appends in the transaction of that write. The caller has locked the video's head (`hold` in head.py), so the rows of
one video are committed in the order of their ids: a follower that reads everything after the last id it has cannot miss
a row that commits late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import counters
from webapp.annotation.models import AcceptedObject, Change, Object, Pin, Round, Scribble
from webapp.annotation.notify import notify_followers
from webapp.annotation.state import accepted_spans, object_info, person, pin_info, round_info, scribble_info
from webapp.prepared import insert
from webapp.videos.models import Video


def scribble_added(scribble: Scribble) -> None:
    _append(scribble.video_id, "scribble.added", scribble=scribble_info(scribble).model_dump())


def scribbles_removed(video_id: int, keys: Sequence[str]) -> None:
    if keys:
        _append(video_id, "scribble.removed", keys=list(keys))


def object_changed(instance: Object) -> None:
    counters.masks_changed(instance.video_id)  # They may be hidden, shown or coloured differently now.
    _append(instance.video_id, "object.changed", object=object_info(instance).model_dump())


def objects_changed(objects: Sequence[Object]) -> None:
    """Log changes of objects of any number of videos, whose heads the caller has locked."""
    messages = [
        Change(
            video_id=object_.video_id, message={"type": "object.changed", "object": object_info(object_).model_dump()}
        )
        for object_ in objects
    ]
    Change.objects.bulk_create(messages, batch_size=500)
    for video_id in {object_.video_id for object_ in objects}:
        notify_followers(video_id)


def round_changed(round_: Round) -> None:
    if round_.ended:
        counters.round_ended(round_.video_id)
    _append(round_.video_id, "round.changed", round=round_info(round_).model_dump())


def head_moved(video_id: int, head: int | None, by: User) -> None:
    counters.masks_changed(video_id)
    _append(video_id, "head.moved", head=head, by=person(by).model_dump())


def accepted_changed(video_id: int, rounds: Mapping[int, int | None]) -> None:
    """Log that frames were accepted or released.

    `rounds` maps each frame to the id of the round that made the accepted mask, or to None if the frame was released.
    """
    spans: list[dict[str, int | None]] = []
    for frame, round_id in sorted(rounds.items()):
        if spans and spans[-1]["last"] == frame - 1 and spans[-1]["round"] == round_id:
            spans[-1]["last"] = frame
        else:
            spans.append({"first": frame, "last": frame, "round": round_id})
    if spans:
        _append(video_id, "accepted.changed", spans=spans)


def object_accepted(instance: Object) -> None:
    """Log that an object was accepted without the others of its frames, or released.

    The message has all the spans in which it is accepted in this way now.
    """
    rows = AcceptedObject.objects.filter(instance=instance).order_by("frame").values_list("frame", "mask__round_id")
    spans = [span.model_dump() for span in accepted_spans(rows)]
    _append(instance.video_id, "object.accepted", object=instance.number, spans=spans)


def absent_changed(instance: Object) -> None:
    counters.masks_changed(instance.video_id)
    _append(instance.video_id, "absent.changed", object=instance.number, spans=instance.absent)


def cuts_changed(video: Video) -> None:
    _append(video.pk, "cuts.changed", cuts=video.cuts)


def pin_changed(pin: Pin) -> None:
    _append(pin.video_id, "pin.changed", pin=pin_info(pin).model_dump())


def jobs_changed(video_id: int) -> None:
    """Log that the jobs of a video changed, without saying how, because not everybody who reads the log sees them."""
    counters.jobs_changed(video_id)
    _append(video_id, "jobs.changed")


def round_scored(round_: Round) -> None:
    """Log that a round has a score, without the score. The message is sent only to reviewers, because it shows that the
    video has ground truth.
    """
    _append(round_.video_id, "round.scored", round=round_.pk)


def _append(video_id: int, kind: str, **fields: Any) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a change is written in the transaction of what it tells")
    insert(Change(video_id=video_id, message={"type": kind, **fields}))
    notify_followers(video_id)
