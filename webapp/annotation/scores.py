"""The scores (J and F) of rounds against ground truth: a worker stores them, reviewers see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.models import Round, RoundScore
from webapp.annotation.notify import notify_scorer
from webapp.annotation.schemas import ObjectScore, RoundScores

FORGOTTEN_AFTER = timedelta(minutes=1)  # After this time the scorer is notified again of a round without a score.
GIVEN_UP_AFTER = timedelta(minutes=10)  # After this time a round that could not be scored is not tried again.


@transaction.atomic
def store_score(
    *,
    round_id: int,
    objects: Sequence[ObjectScore],
    frames: Mapping[int, float],
    cells: Sequence[tuple[int, int, float, float]] = (),
) -> None:
    """Store how good the masks at a round are. A later score of the same round replaces an earlier one.

    `cells` has (frame, object id, J, F) for each frame and object with ground truth. The object id 0 stands for an
    object of the ground truth that nobody drew.
    """
    round_ = Round.objects.get(pk=round_id)
    hold(round_.video_id)
    # An object of the ground truth that nobody drew counts as 0 in its frames, as in the DAVIS benchmark. The numbers
    # of a project are means over the same cells.
    pairs = [(j, f) for _, _, j, f in cells] or [(score.j, score.f) for score in objects]
    by_frame: defaultdict[int, list[float]] = defaultdict(list)
    for frame, _, j, f in cells:
        by_frame[frame].append((j + f) / 2)
    values = {
        "j": sum(j for j, _ in pairs) / max(len(pairs), 1),
        "f": sum(f for _, f in pairs) / max(len(pairs), 1),
        "objects_scored": [score.model_dump() for score in objects],
        "frames": {frame: round(sum(found) / len(found), 4) for frame, found in by_frame.items()} or dict(frames),
        "cells": [list(cell) for cell in cells],
    }
    RoundScore.objects.update_or_create(round=round_, defaults=values)
    changes.round_scored(round_)


def is_scored(round_id: int) -> bool:
    return RoundScore.objects.filter(round_id=round_id).exists()


def scores_of(video_id: int) -> QuerySet[RoundScore]:
    """Return the scores of a video's rounds, in the order of rounds."""
    return RoundScore.objects.filter(round__video_id=video_id).select_related("round").order_by("round__number")


def score_info(row: RoundScore) -> RoundScores:
    return RoundScores(
        round=row.round_id,
        number=row.round.number,
        j=row.j,
        f=row.f,
        jf=(row.j + row.f) / 2,
        objects=[ObjectScore(**score) for score in row.objects_scored],
        frames={int(frame): value for frame, value in row.frames.items()},
    )


def sweep_scores() -> int:
    """Notify a worker again of ended rounds that could be compared with ground truth and have no score yet.

    Return how many there were.
    """
    forgotten = Round.objects.filter(
        finished_at__gt=Now() - GIVEN_UP_AFTER,
        finished_at__lt=Now() - FORGOTTEN_AFTER,
        video__truth_objects__gt=0,
        progress_done__gt=0,
        score=None,
    )
    ids = list(forgotten.values_list("pk", flat=True))
    for round_id in ids:
        notify_scorer(round_id)
    return len(ids)
