"""Accepted frames: frames whose mask a person approved.

No round changes them, and every engine keeps their masks as given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.annotation import changes, counters
from webapp.annotation.bounds import check_span
from webapp.annotation.head import hold
from webapp.annotation.masks import effective
from webapp.annotation.models import AcceptedFrame, Head, Mask, Round
from webapp.prepared import Call, Query
from webapp.problems import Forbidden, Problem
from webapp.videos.models import Video

_MASKS = Query(
    lambda video_id: AcceptedFrame.objects.filter(video_id=video_id).values_list("frame", "mask_id"), video_id=int
)
_AT = Query(
    lambda video_id, frame: AcceptedFrame.objects.filter(video_id=video_id, frame=frame).values_list("pk")[:1],
    video_id=int,
    frame=int,
)


@transaction.atomic
def accept_frames(
    *, video: Video, by: User, first: int, last: int, head: int | None, seen: int, may_accept_others: bool
) -> int:
    """Accept the masks that the frames from `first` to `last` (inclusive) have. Return how many were accepted.

    Frames without a mask, and frames that are accepted already, stay as they are.

    Args:
        video: the video.
        by: the person who accepts.
        first: the first frame.
        last: the last frame.
        head: the id of the head (the round that the video stands at) that the person saw.
        seen: the highest Mask.id that the person's page has.
        may_accept_others: without it, all the masks must be from versions that `by` made.

    Raises:
        Problem: "bad_span"; "bad_frame"; "not_ready"; "no_mask" if none of the frames has a mask; "conflict" if a frame
            has another mask than the person saw, because a person accepts only what they have seen.
        Forbidden: a mask is somebody else's.
    """
    stands = hold(video.pk)
    check_span(video, first, last)
    masks = effective(video.pk, stands.round_id, first, last)
    if not masks:
        raise Problem("no_mask", f"{frames_have(first, last)} no mask yet. Run a round first.", 409)
    accepted = set(_accepted_in(video, first, last).values_list("frame", flat=True))
    new = {frame: mask_id for frame, mask_id in masks.items() if frame not in accepted}
    check_seen(video, stands, head, seen, new, first, last)
    rounds = dict(Mask.objects.filter(pk__in=new.values()).values_list("frame", "round_id"))
    if not may_accept_others:
        check_own(by, rounds)
    AcceptedFrame.objects.bulk_create(
        AcceptedFrame(video=video, frame=frame, mask_id=mask_id, author=by) for frame, mask_id in new.items()
    )
    counters.frames_accepted(video.pk, by)
    changes.accepted_changed(video.pk, rounds)
    return len(new)


@transaction.atomic
def release_frames(*, video: Video, by: User, first: int, last: int, seen: int, may_accept_others: bool) -> int:
    """Let rounds change the accepted frames from `first` to `last` (inclusive) again. Return how many were released.

    `seen` is the highest Mask.id that the person's page has.

    Raises:
        Problem: "bad_span"; "bad_frame"; "not_ready"; "conflict" if a frame was accepted with a mask that the person
            has not seen.
        Forbidden: somebody else accepted one of the frames, and `may_accept_others` is false.
    """
    stands = hold(video.pk)
    check_span(video, first, last)
    accepted = list(_accepted_in(video, first, last))
    if any(row.mask_id > seen for row in accepted):
        raise changed_meanwhile(stands)
    theirs = next((row for row in accepted if row.author_id != by.pk), None)
    if theirs is not None and not may_accept_others:
        raise Forbidden(f"Somebody else accepted frame {theirs.frame}. A reviewer can release it.")
    AcceptedFrame.objects.filter(pk__in=[row.pk for row in accepted]).delete()
    counters.frames_accepted(video.pk, by)
    changes.accepted_changed(video.pk, {row.frame: None for row in accepted})
    return len(accepted)


def accepted_frames(video_id: int, frames: Iterable[int] | None = None) -> set[int]:
    """Return the accepted frames of a video, or those among `frames`."""
    if frames is None:
        return set(accepted_masks(video_id))
    rows = AcceptedFrame.objects.filter(video_id=video_id, frame__in=frames)
    return set(rows.values_list("frame", flat=True))


def is_accepted(video_id: int, frame: int) -> bool:
    return bool(_AT.rows(video_id=video_id, frame=frame))


def is_accepted_call(video_id: int, frame: int) -> Call:
    """Return the query that `is_accepted` makes."""
    return _AT.call(video_id=video_id, frame=frame)


def accepted_masks(video_id: int) -> dict[int, int]:
    """Return the id of the accepted mask of each accepted frame of a video."""
    return dict(_MASKS.rows(video_id=video_id))


def _accepted_in(video: Video, first: int, last: int) -> QuerySet[AcceptedFrame]:
    return AcceptedFrame.objects.filter(video=video, frame__gte=first, frame__lte=last)


def check_seen(
    video: Video, stands: Head, head: int | None, seen: int, new: dict[int, int], first: int, last: int
) -> None:
    """Raise Problem "conflict" unless the person's page shows the masks `new`, which maps frames to Mask.id.

    The page shows the video at the round `head` (None: before the first round), and has the masks up to the id `seen`.
    """
    if any(mask_id > seen for mask_id in new.values()):
        raise changed_meanwhile(stands)
    if head != stands.round_id:
        shown = effective(video.pk, head, first, last)
        if any(shown.get(frame) != mask_id for frame, mask_id in new.items()):
            raise changed_meanwhile(stands)


def check_own(by: User, rounds: dict[int, int]) -> None:
    own = set(Round.objects.filter(pk__in=set(rounds.values()), author=by).values_list("pk", flat=True))
    theirs = next((frame for frame, round_id in sorted(rounds.items()) if round_id not in own), None)
    if theirs is not None:
        raise Forbidden(f"The mask of frame {theirs} is from somebody else's round. A reviewer can accept it.")


def frames_have(first: int, last: int) -> str:
    return f"Frame {first} has" if first == last else f"Frames {first} to {last} have"


def all_accepted(first: int, last: int, accepted: Collection[int]) -> Problem:
    """Return the Problem that nothing can be changed from frame `first` to `last`: the frames are among `accepted`, or
    objects are accepted there.
    """
    if set(accepted).issuperset(range(first, last + 1)):
        which = f"Frame {first} is" if first == last else f"All frames from {first} to {last} are"
        return Problem("accepted", f"{which} accepted, so nothing would change. Release frames first.", 409)
    which = f"frame {first}" if first == last else f"each frame from {first} to {last}"
    text = f"In {which} an object that would change is accepted, or the frame is. Release the object or frames first."
    return Problem("accepted", text, 409)


def changed_meanwhile(head: Head) -> Problem:
    return Problem("conflict", "The mask changed meanwhile: look again.", 409, head=head.round_id)
