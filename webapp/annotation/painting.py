"""Painted masks: a person replaces the mask of one object in one frame. Later rounds keep it, unless somebody draws the
object in that frame again.

A painted mask is a version, as a round is, so it can be undone. It is complete when it is created.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.accepted_objects import accepted_at
from webapp.annotation.bounds import check_frame
from webapp.annotation.codec import LabelMap, decode, encode
from webapp.annotation.head import hold, set_head
from webapp.annotation.masks import StoredMask, mask_at
from webapp.annotation.models import Head, Mask, Object, Origin, Round, RoundState, Scribble
from webapp.annotation.notify import notify_scorer
from webapp.annotation.objects import locked_numbers
from webapp.annotation.rounds import add_version
from webapp.annotation.scribbles import check_changeable, check_not_accepted, release_scribbles, waiting
from webapp.problems import Problem
from webapp.videos.models import Video

Over = Literal["none", "unlocked", "all"]


@transaction.atomic
def paint_mask(
    *,
    video: Video,
    author: User,
    key: UUID | str,
    frame: int,
    object_id: int,
    data: str,
    over: Over,
    scribbles: Iterable[UUID | str] = (),
) -> Round:
    """Replace the mask of an object in a frame by what a person painted. It is a new version, the head at once.

    Those of `scribbles` that are of the object and wait on this frame belong to the version from then on. The author's
    other scribbles in the frame go on waiting for a round.

    Args:
        key: the idempotency key of the message.
        data: the object's new mask in base64: a label map of 0 and 1 at the size of the video, encoded by codec.py.
        over: which other objects lose the pixels that the new mask covers: none, those that are not locked, or all.
            Objects that are accepted in the frame lose none.
        scribbles: the keys of waiting scribbles whose effect the person saw, as a preview, and painted on.

    Raises:
        Problem: "bad_mask"; "bad_frame"; "not_ready"; "no_object"; "locked"; "absent" if the object is marked absent
            in the frame; "accepted" if the frame is accepted, or the object in it.
    """
    painted = _decoded(video, data)  # Decoding takes time, so it is done before the head is locked.
    head = hold(video.pk)
    check_frame(video, frame)
    check_changeable(video, object_id, frame, "paint")
    check_not_accepted(video, head, frame, object_id, "paint")
    accepted = accepted_at(video.pk, head.round_id, frame)
    standing = mask_at(video.pk, head.round_id, frame)
    labels = blank(video) if standing is None else standing.labels.copy()
    before = labels.copy()
    _apply(labels, painted, object_id, _protected(video, object_id, over) | accepted)
    pixels = int(np.count_nonzero(labels != before))
    made = _add_painted(head, video, author, key, frame, object_id, pixels)
    Mask.objects.create(
        round=made, frame=frame, data=encode(labels), confidence=_confidence(standing, object_id, made.num_objects)
    )
    made.scribbles_taken = _take_scribbles(made, {str(drawn) for drawn in scribbles})
    made.save(update_fields=["scribbles_taken"])
    changes.round_changed(made)
    set_head(head, made.pk, author)
    if video.truth_objects:
        notify_scorer(made.pk)
    return made


def _add_painted(
    head: Head, video: Video, author: User, key: UUID | str, frame: int, object_id: int, pixels: int
) -> Round:
    """Add the version of a painting that changed `pixels` pixels of a frame. It is complete at once."""
    made = add_version(
        head,
        video,
        author,
        key,
        origin=Origin.PAINTED,
        frame=frame,
        scribbles=[],
        span=[frame, frame],
        objects_changed=[object_id],
        engine="",
        state=RoundState.DONE,
        pixels=pixels,
        progress_done=1,
        progress_total=1,
        frames=[(frame, frame)],
        started_at=Now(),
        finished_at=Now(),
    )
    made.refresh_from_db()
    return made


def follow_head(before: Sequence[int], after: Sequence[int]) -> None:
    """Let scribbles follow the painted versions that they belong to when the head moves.

    `before` and `after` are the lines (ids of versions) of the old and the new head. The scribbles of painted versions
    that were undone wait for a round again. Painted versions that were brought back take theirs again.
    """
    moved = set(before) ^ set(after)
    for version in Round.objects.filter(pk__in=moved, origin=Origin.PAINTED).order_by("pk"):
        if version.pk in after:
            _take_scribbles(version, set(version.scribbles_taken or ()))
        else:
            release_scribbles(version)


def _take_scribbles(version: Round, shown: set[str]) -> list[str]:
    """Move waiting scribbles of the painted object, those with keys in `shown`, to a painted version.

    The preview that the person painted on showed them already, so a later round that used them would change what was
    painted. Return the keys of those that were moved.
    """
    drawn = waiting(version.video, version.author, [version.frame])
    mine = [scribble for scribble in drawn if scribble.object_id in (version.objects_changed or ())]
    taken = {str(scribble.key): scribble.pk for scribble in mine if str(scribble.key) in shown}
    if taken:
        Scribble.objects.filter(pk__in=taken.values()).update(round=version)
        changes.scribbles_removed(version.video_id, list(taken))
    return list(taken)


def _decoded(video: Video, data: str) -> LabelMap:
    """Return the binary mask, uint8 [H, W] of 0 and 1, that a page sent."""
    try:
        labels = decode(base64.b64decode(data, validate=True))
    except ValueError as error:  # no Base64, or a BadMask
        raise Problem("bad_mask", f"The painted mask cannot be read: {error}. Reload the page.") from None
    if labels.shape != (video.height, video.width):
        height, width = labels.shape
        raise Problem(
            "bad_mask", f"The painted mask has {width} x {height} pixels, the video {video.width} x {video.height}."
        )
    if labels.max() > 1:
        raise Problem("bad_mask", f"The painted mask has the value {labels.max()}; it may have 0 and 1.")
    return labels


def _protected(video: Video, object_id: int, over: Over) -> set[int]:
    """Return the ids of the objects over which `object_id` may not be painted."""
    match over:
        case "none":
            numbers = Object.objects.filter(video=video, deleted_at=None).values_list("number", flat=True)
            return set(numbers) - {object_id}
        case "unlocked":
            return locked_numbers(video.pk)
        case "all":
            return set()


def _apply(labels: LabelMap, painted: LabelMap, object_id: int, protected: set[int]) -> None:
    """Replace, in place, the pixels of an object in a label map by `painted`. Pixels of protected objects stay."""
    new = painted.astype(bool)
    if protected:
        new &= ~np.isin(labels, list(protected))
    labels[labels == object_id] = 0
    labels[new] = object_id


def blank(video: Video) -> LabelMap:
    return np.zeros((video.height, video.width), np.uint8)


def _confidence(standing: StoredMask | None, object_id: int, num_objects: int) -> list[float]:
    """Return the confidence of each object: 1 for what a person painted, for the others what it was before."""
    before = [] if standing is None else Mask.objects.values_list("confidence", flat=True).get(pk=standing.mask_id)
    confidence = [*before, *[1.0] * (num_objects - len(before))]
    confidence[object_id - 1] = 1.0
    return confidence
