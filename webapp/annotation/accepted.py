"""Accepted frames: frames whose mask a person approved.

No round changes them, and every engine keeps their masks as given.
"""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.masks import mask_at
from webapp.annotation.models import AcceptedFrame, Head, Round
from webapp.annotation.scribbles import check_frame
from webapp.problems import Forbidden, Problem
from webapp.videos.models import Video


@transaction.atomic
def accept_frame(*, video: Video, by: User, frame: int, expected_round: int, may_accept_others: bool) -> None:
    """Accept the mask that `frame` has at the head (the round that the video stands at).

    `expected_round` is the id of the round that stored the mask which the person saw. Without `may_accept_others` that
    round must have been made by `by`. Raises Problem "conflict" when the frame has the mask of another round by now,
    because a person accepts only what they have seen.
    """
    head = hold(video.pk)
    check_frame(video, frame)
    mask = mask_at(video.pk, head.round_id, frame)
    if mask is None:
        raise Problem("no_mask", "This frame has no mask yet. Run a round first.", 409)
    if mask.round_id != expected_round:
        raise _changed(head)
    if AcceptedFrame.objects.filter(video=video, frame=frame).exists():
        return
    if not may_accept_others and Round.objects.get(pk=mask.round_id).author_id != by.pk:
        raise Forbidden("This mask is from somebody else's round. A reviewer can accept it.")
    AcceptedFrame.objects.create(video=video, frame=frame, mask_id=mask.mask_id, author=by)
    changes.accepted_changed(video.pk, frame, mask.round_id)


@transaction.atomic
def release_frame(*, video: Video, by: User, frame: int, expected_round: int, may_accept_others: bool) -> None:
    """Let rounds change an accepted frame again.

    `expected_round` is the id of the round that stored the accepted mask which the person saw. Without
    `may_accept_others` the frame must have been accepted by `by`. Raises Problem "conflict" when the accepted mask is
    of another round by now. Does nothing if the frame is not accepted.
    """
    head = hold(video.pk)
    accepted = AcceptedFrame.objects.select_related("mask").filter(video=video, frame=frame).first()
    if accepted is None:
        return
    if accepted.mask.round_id != expected_round:
        raise _changed(head)
    if not may_accept_others and accepted.author_id != by.pk:
        raise Forbidden("Somebody else accepted this frame. A reviewer can release it.")
    accepted.delete()
    changes.accepted_changed(video.pk, frame, None)


def _changed(head: Head) -> Problem:
    return Problem("conflict", "The mask changed meanwhile: look again.", 409, head=head.round_id)
