"""The head: the round that a video stands at. Undo moves it to an earlier round.

The row of the head is also the lock that every writer of the video's change log takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.models import Head
from webapp.prepared import Call, Query, Update, forget_ahead, read_ahead
from webapp.problems import Problem

_HEAD = Query(lambda video_id: Head.objects.select_for_update().filter(video_id=video_id)[:1], video_id=int)

_MOVE = Update(
    lambda pk, round_id, next_number: (
        Head.objects.filter(pk=pk),
        {"round": round_id, "next_round_number": next_number},
    ),
    pk=int,
    round_id=int,
    next_number=int,
)


_held: ContextVar[Head | None] = ContextVar("held", default=None)  # The head of the `holding` that this runs in.


@contextmanager
def holding(video_id: int, ahead: Sequence[Call] = ()) -> Iterator[None]:
    """Begin a transaction and lock the head of a video in it, as `hold` does.

    Every `hold` of this video within it returns the same object, and asks the database nothing. `ahead` are queries
    that are certain to follow, about what changes only while the head is locked: they are read with the head.
    """
    with transaction.atomic(), read_ahead(_HEAD.call(video_id=video_id), *ahead):
        token = _held.set(hold(video_id))
        try:
            yield
        finally:
            _held.reset(token)


def hold(video_id: int) -> Head:
    """Return the head of a video, with its row locked until the transaction ends. A missing row is created.

    SQLite locks the whole database instead.
    """
    held = _held.get()
    if held is not None and held.video_id == video_id:
        return held
    head = _HEAD.first(video_id=video_id)
    if head is None:
        forget_ahead()  # It was read while the head was not locked.
        Head.objects.get_or_create(video_id=video_id)
        head = Head.objects.select_for_update().get(video_id=video_id)
    return head


def hold_all(video_ids: Collection[int]) -> None:
    """Lock the heads of several videos until the transaction ends, in the order of the videos' ids.

    Whoever locks the heads of several videos takes them in this order, so that no two of them wait for each other.
    """
    there = set(Head.objects.filter(video__in=video_ids).values_list("video_id", flat=True))
    missing = [Head(video_id=video_id) for video_id in sorted(set(video_ids) - there)]
    Head.objects.bulk_create(missing, ignore_conflicts=True)
    # By `video_id`: ordering by `video` would join the videos, lock their rows, too, and sort by their dates.
    list(Head.objects.select_for_update().filter(video__in=video_ids).order_by("video_id").values_list("pk", flat=True))


def head_of(video_id: int) -> int | None:
    """Return the id of the round that a video stands at, or None before its first round."""
    return Head.objects.filter(video_id=video_id).values_list("round_id", flat=True).first()


def conflict(head: Head) -> Problem:
    text = (
        "A round was run or undone meanwhile, by somebody else or in another tab. Look at what changed and run again: "
        "your scribbles are kept."
    )
    return Problem("conflict", text, 409, head=head.round_id)


def set_head(head: Head, round_id: int | None, by: User) -> None:
    """Move the head to a round, and store the next number of a round that `head` has."""
    head.round_id = round_id
    if round_id is None:
        head.save(update_fields=["round", "next_round_number"])
    else:
        _MOVE.run(pk=head.pk, round_id=round_id, next_number=head.next_round_number)
    changes.head_moved(head.video_id, round_id, by)
