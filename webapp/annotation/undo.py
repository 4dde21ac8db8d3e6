"""Undo, redo, go back: the head moves over rounds. A round after an undo starts a branch; nothing is deleted."""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation.head import conflict, hold, set_head
from webapp.annotation.masks import line_of
from webapp.annotation.models import Mask, Round
from webapp.annotation.rounds import ACTIVE, stop
from webapp.problems import NotFound, Problem
from webapp.videos.models import Video


@transaction.atomic
def move_head(*, video: Video, by: User, from_round: int | None, to_round: int | None) -> None:
    """Undo, redo, or go back to any round. `from_round` is the head that the page shows; another one is a conflict.

    A round that waits or runs and is not on the new line any more is cancelled.
    """
    head = hold(video.pk)
    if head.round_id == to_round:
        return
    if head.round_id != from_round:
        raise conflict(head)
    if to_round is not None:
        _check_target(video, to_round)
    set_head(head, to_round, by)
    line = set(line_of(to_round))
    for active in Round.objects.filter(video=video, state__in=ACTIVE):
        if active.pk not in line:
            stop(active, by)


def _check_target(video: Video, round_id: int) -> None:
    target = Round.objects.filter(video=video, pk=round_id).first()
    if target is None:
        raise NotFound("round")
    if target.ended and not Mask.objects.filter(round=target).exists():
        raise Problem("empty_round", f"Round {target.number} ended before it made a mask.", 409)
