"""Keeps the counts that lists of videos show, in the rows of the videos, so that a list needs no counting.

The functions that store counts are called in the transaction that changes what they count.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.models import AcceptedFrame, Round, RoundState
from webapp.prepared import Update
from webapp.tasks.sending import send_task
from webapp.videos.models import Video

COUNT_TO_FIX = "annotation.count_to_fix"  # The Celery task (to_fix.py).


def round_made(video_id: int, by: User, *, waits: bool) -> None:
    """Count a new version of the masks of a video, which `by` made. `waits` says that a worker is to compute it."""
    (_ROUND_WAITS if waits else _ROUND_MADE).run(video_id=video_id, by=by.pk)


def round_ended(video_id: int) -> None:
    """Store whether another round of a video waits or runs, after one has ended."""
    active = Round.objects.filter(video_id=video_id, state__in=(RoundState.QUEUED, RoundState.RUNNING))
    running = active.exists()
    _row(video_id).update(is_running=running)
    if not running:
        masks_changed(video_id)


def frames_accepted(video_id: int, by: User) -> None:
    """Count the accepted frames of a video, some of which `by` has just accepted or released."""
    count = AcceptedFrame.objects.filter(video_id=video_id).count()
    _row(video_id).update(accepted_count=count, worked_at=Now(), worked_by=by)
    masks_changed(video_id)


def object_accepted(video_id: int, by: User) -> None:
    """Store that `by` has just worked on a video, by accepting or releasing one of its objects."""
    _row(video_id).update(worked_at=Now(), worked_by=by)
    masks_changed(video_id)


def masks_changed(video_id: int) -> None:
    """Mark the number of frames to fix as out of date and let a worker count them, unless it was marked before.

    While a round waits or runs, neither happens: counting would slow it down, and `round_ended` calls this again.
    """
    if _MAKE_STALE.run(video_id=video_id):
        send_task(COUNT_TO_FIX, video_id)
    else:
        _TOUCH.run(video_id=video_id)


def jobs_changed(video_id: int) -> None:
    """Store that a video has changed because its jobs have, so that lists which show them are updated."""
    _row(video_id).update()  # This sets `changed_at`.


def wrong_counts(video_id: int) -> dict[str, int | bool]:
    """Count again, and return those counts in a video's row that are wrong, as column names with the right values."""
    rounds = Round.objects.filter(video_id=video_id)
    right: dict[str, int | bool] = {
        "rounds_made": rounds.count(),
        "is_running": rounds.filter(state__in=(RoundState.QUEUED, RoundState.RUNNING)).exists(),
        "accepted_count": AcceptedFrame.objects.filter(video_id=video_id).count(),
    }
    stored = _row(video_id).values(*right).get()
    return {name: value for name, value in right.items() if stored[name] != value}


def _row(video_id: int) -> QuerySet[Video]:
    return Video.objects.filter(pk=video_id)


_MAKE_STALE = Update(
    lambda video_id: (
        _row(video_id).filter(to_fix_stale=False, is_running=False),
        {"to_fix_stale": True, "changed_at": Now()},
    ),
    video_id=int,
)


def _round_made(video_id: Any, by: Any) -> tuple[QuerySet[Video], dict[str, Any]]:
    columns = {"rounds_made": F("rounds_made") + 1, "worked_at": Now(), "worked_by": by, "changed_at": Now()}
    return _row(video_id), columns


def _round_waits(video_id: Any, by: Any) -> tuple[QuerySet[Video], dict[str, Any]]:
    rows, columns = _round_made(video_id, by)
    return rows, {**columns, "is_running": True}


_ROUND_MADE = Update(_round_made, video_id=int, by=int)
_ROUND_WAITS = Update(_round_waits, video_id=int, by=int)
_TOUCH = Update(lambda video_id: (_row(video_id), {"changed_at": Now()}), video_id=int)
