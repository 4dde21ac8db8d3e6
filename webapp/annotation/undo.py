"""Undo and redo, which move the head (the round that the video stands at) to another round and delete no masks.

A round that is made after an undo starts a new branch.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation.accepted_objects import end_overlaid
from webapp.annotation.head import conflict, hold, set_head
from webapp.annotation.masks import line_of
from webapp.annotation.models import Mask, Round
from webapp.annotation.painting import follow_head
from webapp.annotation.rounds import ACTIVE, stop
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import allows, role_in
from webapp.projects.models import Role
from webapp.videos.models import Video


@transaction.atomic
def move_head(*, video: Video, by: User, from_round: int | None, to_round: int | None) -> None:
    """Undo or redo: move the head to the round `to_round`, which may be any round of the video.

    None moves the head to before the first round. Nothing happens if the head is there already.

    `from_round` is the id of the head that the page shows; Problem "conflict" is raised if it is not the actual head.
    Rounds that wait or run and that the new head does not build on are cancelled. The user needs the right to cancel
    those that were not asked to stop before, because undo must not do to other people's work what `cancel_round`
    refuses: otherwise Forbidden is raised. Raises also NotFound, and Problem "empty_round" for a round that ended
    without a mask.
    """
    head = hold(video.pk)
    if head.round_id == to_round:
        return
    if head.round_id != from_round:
        raise conflict(head)
    if to_round is not None:
        _check_target(video, to_round)
    active = Round.objects.filter(video=video, state__in=ACTIVE).select_related("author")
    line = line_of(to_round)
    beside = list(active.exclude(pk__in=line))
    _check_may_stop(video, by, beside)
    before = line_of(head.round_id)
    follow_head(before, line)
    end_overlaid(video.pk, line, set(line) - set(before))
    set_head(head, to_round, by)
    for version in beside:
        stop(version, by)


def _check_target(video: Video, round_id: int) -> None:
    target = Round.objects.filter(video=video, pk=round_id).first()
    if target is None:
        raise NotFound("round")
    if target.ended and not Mask.objects.filter(round=target).exists():
        raise Problem("empty_round", f"Round {target.number} ended before it made a mask.", 409)


def _check_may_stop(video: Video, by: User, rounds: Iterable[Round]) -> None:
    """Raise Forbidden unless `by` may stop all `rounds`.

    Stopping other people's rounds needs a reviewer, as in `cancel_round`.
    """
    stopped = (version for version in rounds if not version.cancel_requested and version.superseded_by_id is None)
    theirs = next((version for version in stopped if version.author_id != by.pk), None)
    if theirs is None:
        return
    role = role_in(by, video.project_id)
    if role is None or not allows(role, Role.REVIEWER):
        whose = f"Round {theirs.number} of {theirs.author.shown_name}"
        raise Forbidden(f"{whose} has not ended yet, and this would cancel it. Wait for it; a reviewer can cancel it.")
