"""Objects that a person accepted singly in some frames, while the other objects there may still change.

A person accepts the pixels that the object has in one stored mask. The acceptance counts while the round of this mask
is the head or one of the rounds that the head builds on. Later versions keep the pixels. An undo to an earlier round
suspends the acceptance, and redo brings it back.

It ends when a person releases it, or sets a pin which says that the object is wrong there. It also ends if redo brings
back a version that was begun before the acceptance and gives the object other pixels, if the object is accepted in
another mask of the frame while the acceptance is suspended, if a version was stored for the frame while the object was
deleted and the object is then restored, and if the accepted mask turns out to be unreadable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from webapp.accounts.models import User
from webapp.annotation import changes, counters
from webapp.annotation.accepted import accepted_frames, changed_meanwhile, check_own, check_seen, frames_have
from webapp.annotation.bounds import check_span
from webapp.annotation.codec import BadMask, decode
from webapp.annotation.head import hold
from webapp.annotation.masks import effective, line_of
from webapp.annotation.models import AcceptedObject, Head, Mask, Object, Round, RoundState
from webapp.prepared import Call, Query
from webapp.problems import Forbidden, Problem
from webapp.videos.models import Video

_ROWS = Query(
    lambda video_id: AcceptedObject.objects.filter(instance__video_id=video_id, instance__deleted_at=None).values_list(
        "frame", "instance__number", "mask_id", "mask__round_id"
    ),
    video_id=int,
)
_ROWS_AT = Query(
    lambda video_id, frame: AcceptedObject.objects.filter(
        instance__video_id=video_id, instance__deleted_at=None, frame=frame
    ).values_list("instance__number", "mask__round_id"),
    video_id=int,
    frame=int,
)


@transaction.atomic
def accept_object(
    *,
    video: Video,
    by: User,
    number: int,
    first: int,
    last: int,
    head: int | None,
    seen: int,
    may_accept_others: bool,
) -> int:
    """Accept one object in the frames from `first` to `last` (inclusive). Return in how many frames it was accepted.

    Frames without a mask, accepted frames, and frames in which the object is accepted already stay as they are. A frame
    whose mask does not show the object is accepted, too: then no version gives the object a pixel there.

    `head`, `seen` and `may_accept_others` are as for `accept_frames`.

    Raises:
        Problem: as for `accept_frames`; "no_object"; "round_running" while a round is computed, which might change the
            mask of the object after it was accepted.
        Forbidden: a mask is somebody else's.
    """
    stands = hold(video.pk)
    check_span(video, first, last)
    instance = _instance(video, number)
    _check_at_rest(video)
    masks = effective(video.pk, stands.round_id, first, last)
    if not masks:
        raise Problem("no_mask", f"{frames_have(first, last)} no mask yet. Run a round first.", 409)
    kept = accepted_frames(video.pk) | {row.frame for row in _counting(instance, stands, first, last)}
    new = {frame: mask_id for frame, mask_id in masks.items() if frame not in kept}
    check_seen(video, stands, head, seen, new, first, last)
    rounds = dict(Mask.objects.filter(pk__in=new.values()).values_list("frame", "round_id"))
    if not may_accept_others:
        check_own(by, rounds)
    AcceptedObject.objects.filter(instance=instance, frame__in=list(new)).delete()  # Suspended ones.
    AcceptedObject.objects.bulk_create(
        AcceptedObject(instance=instance, frame=frame, mask_id=mask_id, author=by) for frame, mask_id in new.items()
    )
    if new:
        _tell(instance, by)
    return len(new)


@transaction.atomic
def release_object(
    *, video: Video, by: User, number: int, first: int, last: int, seen: int, may_accept_others: bool
) -> int:
    """Let versions change an accepted object again in the frames from `first` to `last` (inclusive).

    Returns in how many frames it was released. `seen` and `may_accept_others` are as for `release_frames`, and so are
    the errors. Raises also Problem "no_object".
    """
    stands = hold(video.pk)
    check_span(video, first, last)
    instance = _instance(video, number)
    accepted = _counting(instance, stands, first, last)
    if any(row.mask_id > seen for row in accepted):
        raise changed_meanwhile(stands)
    theirs = next((row for row in accepted if row.author_id != by.pk), None)
    if theirs is not None and not may_accept_others:
        raise Forbidden(f"Somebody else accepted {instance.name} in frame {theirs.frame}. A reviewer can release it.")
    _delete(accepted, instance, by)
    return len(accepted)


def take_back(*, video: Video, by: User, number: int, first: int, last: int, of_others: bool) -> None:
    """Release an object in a span because a pin says that it is wrong there.

    Without `of_others` only what `by` accepted is released. The caller has locked the row of the video's head.
    """
    stands = Head.objects.get(video=video)
    instance = _instance(video, number)
    rows = [row for row in _counting(instance, stands, first, last) if of_others or row.author_id == by.pk]
    _delete(rows, instance, by)


def end_overlaid(video_id: int, line: Collection[int], returning: Collection[int]) -> None:
    """End the acceptances of objects that get other pixels from versions that come back to the line of the head.

    Only versions that were begun before the acceptance can do that, because later ones keep the pixels. `line` has the
    ids of all rounds on the line of the new head, and `returning` those that are not on the line of the present one.
    The caller has locked the row of the video's head.
    """
    rows = AcceptedObject.objects.filter(instance__video_id=video_id, mask__round_id__in=line)
    accepted: dict[int, list[AcceptedObject]] = {}
    for row in rows.select_related("instance", "mask").defer("mask__data", "mask__engine_state"):
        accepted.setdefault(row.frame, []).append(row)
    if not accepted:
        return
    made = Mask.objects.filter(round_id__in=returning, frame__gte=min(accepted), frame__lte=max(accepted))
    masks = made.values_list("pk", "frame", "round_id", "round__started_at", "round__created_at")
    ended: dict[int, AcceptedObject] = {}
    for mask_id, frame, round_id, started, created in masks:
        for row in accepted.get(frame, ()):
            is_over = round_id > row.mask.round_id and (started or created) < row.created_at
            if is_over and not _same_pixels(row, mask_id):
                ended[row.pk] = row
    _end(ended.values())


def end_changed_since(instance: Object, deleted_at: datetime) -> None:
    """End the acceptances of an object that is restored, in the frames of which a version stored a mask after it was
    deleted.

    That version did not keep the object's pixels. The caller has locked the row of the video's head.
    """
    since = (
        Q(round__created_at__gte=deleted_at)
        | Q(round__finished_at__gte=deleted_at)
        | Q(round__state__in=(RoundState.QUEUED, RoundState.RUNNING))
    )
    masks = Mask.objects.filter(since, round__video_id=instance.video_id, frame=OuterRef("frame"))
    _end(AcceptedObject.objects.filter(Exists(masks), instance=instance).select_related("instance"))


def end_with_mask(mask: Mask) -> list[Object]:
    """End the acceptances of objects that refer to an unreadable mask, so that the mask can be removed.

    Return the objects. The caller has locked the row of the video's head.
    """
    rows = list(AcceptedObject.objects.filter(mask=mask).select_related("instance").order_by("instance__number"))
    _end(rows)
    return [row.instance for row in rows]


def accepted_objects(video_id: int, head: int | None) -> dict[int, dict[int, int]]:
    """Return {frame: {object id: Mask.id}} of the objects that were accepted singly, with `head` taken as the head.

    Deleted objects are left out.
    """
    rows = _ROWS.rows(video_id=video_id)
    line = set(line_of(head)) if rows else set()
    found: dict[int, dict[int, int]] = {}
    for frame, number, mask_id, round_id in rows:
        if round_id in line:
            found.setdefault(frame, {})[number] = mask_id
    return found


def accepted_at(video_id: int, head: int | None, frame: int) -> set[int]:
    """Return the ids of the objects that are accepted singly in one frame, as `accepted_objects` finds them."""
    rows = _ROWS_AT.rows(video_id=video_id, frame=frame)
    line = set(line_of(head)) if rows else set()
    return {number for number, round_id in rows if round_id in line}


def accepted_at_call(video_id: int, frame: int) -> Call:
    """Return the query that `accepted_at` makes."""
    return _ROWS_AT.call(video_id=video_id, frame=frame)


def frames_by_object(accepted: dict[int, dict[int, int]]) -> dict[int, set[int]]:
    """Return the frames of each object, from what `accepted_objects` returns."""
    found: dict[int, set[int]] = {}
    for frame, numbers in accepted.items():
        for number in numbers:
            found.setdefault(number, set()).add(frame)
    return found


def _instance(video: Video, number: int) -> Object:
    found = Object.objects.filter(video=video, number=number, deleted_at=None).first()
    if found is None:
        raise Problem("no_object", f"Object {number} is not there any more. Choose another one.", 409)
    return found


def _check_at_rest(video: Video) -> None:
    running = Round.objects.filter(video=video, state=RoundState.RUNNING).first()
    if running is not None:
        text = f"Round {running.number} is being computed. Accept the object when it has ended."
        raise Problem("round_running", text, 409)


def _counting(instance: Object, stands: Head, first: int, last: int) -> list[AcceptedObject]:
    """Return the acceptances of an object in a span whose rounds are on the line of the head."""
    line = set(line_of(stands.round_id))
    rows = AcceptedObject.objects.filter(instance=instance, frame__gte=first, frame__lte=last).select_related("mask")
    return [row for row in rows.defer("mask__data", "mask__engine_state") if row.mask.round_id in line]


def _delete(rows: Iterable[AcceptedObject], instance: Object, by: User) -> None:
    if keys := [row.pk for row in rows]:
        AcceptedObject.objects.filter(pk__in=keys).delete()
        _tell(instance, by)


def _tell(instance: Object, by: User) -> None:
    counters.object_accepted(instance.video_id, by)
    changes.object_accepted(instance)


def _same_pixels(row: AcceptedObject, mask_id: int) -> bool:
    """Return whether an object has the same pixels in a mask as in the accepted one; False if one cannot be read."""
    data = dict(Mask.objects.filter(pk__in=(row.mask_id, mask_id)).values_list("pk", "data"))
    try:
        before, after = (decode(bytes(data[pk])) == row.instance.number for pk in (row.mask_id, mask_id))
    except BadMask:
        return False
    return np.array_equal(before, after)


def _end(rows: Iterable[AcceptedObject]) -> None:
    """Delete `rows`, acceptances that no longer hold, and add a change to the change log for each of their objects."""
    found = list(rows)
    AcceptedObject.objects.filter(pk__in=[row.pk for row in found]).delete()
    for instance in {row.instance_id: row.instance for row in found}.values():
        changes.object_accepted(instance)
