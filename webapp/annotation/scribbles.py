"""Scribbles are stored when the pen is lifted, and then wait until their author runs a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.accepted import is_accepted, is_accepted_call
from webapp.annotation.accepted_objects import accepted_at, accepted_at_call
from webapp.annotation.bounds import check_frame
from webapp.annotation.head import hold
from webapp.annotation.models import Head, Object, Round, Scribble, ScribbleKind
from webapp.prepared import Call, Query, insert
from webapp.problems import Forbidden, NotFound, Problem
from webapp.videos.models import Video

PLACES = 5  # The decimals of a coordinate that are kept: steps of 0.04 pixels on a frame that is 4,096 pixels wide.
_TAKEN = Query(lambda key: Scribble.objects.filter(key=key).values_list("pk")[:1], key=UUID)
_OBJECT = Query(
    lambda video_id, number: Object.objects.filter(video_id=video_id, number=number, deleted_at=None)[:1],
    video_id=int,
    number=int,
)


@transaction.atomic(savepoint=False)  # A stroke is stored often, and a savepoint would be two more statements.
def add_scribble(
    *,
    video: Video,
    author: User,
    key: UUID | str,
    frame: int,
    object_id: int,
    path: Sequence[Sequence[float]],
    kind: str = ScribbleKind.SCRIBBLE,
    positive: bool = True,
) -> Scribble:
    """Store a scribble, click or box of object `object_id`; a scribble of object 0 is of the background.

    `path` is [[x, y], ...] in 0..1: the points of a scribble, the one point of a click, two opposite corners of a box.
    Raises Problem: "not_ready"; "bad_frame"; "bad_click" or "bad_box" for points that do not fit the kind; "no_object";
    "locked"; "absent" if the object is marked absent in the frame; "accepted" if the frame is accepted, or the object
    in it; "key_taken".
    """
    head = hold(video.pk)
    check_frame(video, frame)
    _check_points(kind, path, positive)
    if object_id:
        check_changeable(video, object_id, frame, "draw")
    check_not_accepted(video, head, frame, object_id, "draw")
    if _TAKEN.rows(key=UUID(str(key))):
        raise Problem("key_taken", "This scribble has the key of another one. Reload the page.", 409)
    rounded = [[round(float(x), PLACES), round(float(y), PLACES)] for x, y in path]
    scribble = insert(
        Scribble(
            video=video,
            key=key,
            frame=frame,
            object_id=object_id,
            path=rounded,
            kind=kind,
            positive=positive,
            author=author,
            next_number=head.next_round_number,
        )
    )
    changes.scribble_added(scribble)
    return scribble


def calls_of(video_id: int, key: UUID | str, frame: int, object_id: int) -> list[Call]:
    """Return the queries that `add_scribble` makes before it writes."""
    about_object = [_OBJECT.call(video_id=video_id, number=object_id)] if object_id else []
    accepted = [is_accepted_call(video_id, frame), accepted_at_call(video_id, frame)]
    return [*about_object, *accepted, _TAKEN.call(key=UUID(str(key)))]


@transaction.atomic
def remove_scribble(*, video: Video, author: User, key: UUID | str) -> None:
    """Remove a scribble of `author` that no round has used. Removing it twice is no error."""
    hold(video.pk)
    scribble = Scribble.objects.filter(video=video, key=key).first()
    if scribble is None:
        raise NotFound("scribble")
    if scribble.author_id != author.pk:
        raise Forbidden("This scribble is somebody else's.")
    if scribble.round_id is not None:
        raise Problem("scribble_used", "A round has used this scribble already. Undo the round instead.", 409)
    if scribble.deleted_at is None:
        scribble.deleted_at = timezone.now()
        scribble.save(update_fields=["deleted_at"])
        changes.scribbles_removed(video.pk, [str(scribble.key)])


def _check_points(kind: str, path: Sequence[Sequence[float]], positive: bool) -> None:
    if kind == ScribbleKind.CLICK and len(path) != 1:
        raise Problem("bad_click", f"A click has one point, this one has {len(path)}.")
    if kind == ScribbleKind.BOX:
        if len(path) != 2:
            raise Problem("bad_box", f"A box has two corners, this one has {len(path)}.")
        (x0, y0), (x1, y1) = ((round(x, PLACES), round(y, PLACES)) for x, y in path)
        if x0 == x1 or y0 == y1:
            raise Problem("bad_box", "A box needs a width and a height. Drag it open.")
        if not positive:
            raise Problem("bad_box", "A box goes around an object; it cannot take anything away.")


def waiting(video: Video, author: User, frames: Sequence[int]) -> list[Scribble]:
    """Return the scribbles of `author` on `frames` that no round has used, oldest first.

    Scribbles that were removed, and those of deleted objects, are left out.
    """
    found = [_WAITING.rows(video_id=video.pk, author_id=author.pk, frame=frame) for frame in set(frames)]
    return sorted((scribble for rows in found for scribble in rows), key=lambda scribble: scribble.pk)


def _waiting(video_id: int, author_id: int, frame: int) -> QuerySet[Scribble]:
    there = Object.objects.filter(video_id=video_id, deleted_at=None).values("number")
    rows = Scribble.objects.filter(video_id=video_id, author_id=author_id, frame=frame, round=None, deleted_at=None)
    return rows.filter(Q(object_id=0) | Q(object_id__in=there))


_WAITING = Query(_waiting, video_id=int, author_id=int, frame=int)


def for_round(
    scribbles: Iterable[Scribble], keeps: Mapping[int, Sequence[int]] = MappingProxyType({})
) -> list[dict[str, object]]:
    """Return scribbles in the form that `Round.scribbles` stores, in the order in which they were drawn.

    `keeps` has the ids of the objects that a scribble keeps, by Scribble.id, as `painted_later` finds them.
    """
    return [
        {
            "path": scribble.path,
            "object_id": scribble.object_id,
            "frame": scribble.frame,
            "kind": scribble.kind,
            "positive": scribble.positive,
            **({"keeps": keeps[scribble.pk]} if scribble.pk in keeps else {}),
        }
        for scribble in scribbles
    ]


def release_scribbles(round_: Round) -> None:
    """Let the scribbles of a version wait for a round again."""
    scribbles = list(round_.drawn_scribbles.select_related("author"))
    round_.drawn_scribbles.update(round=None)
    for scribble in scribbles:
        changes.scribble_added(scribble)


def check_changeable(video: Video, object_id: int, frame: int, doing: str) -> None:
    """Raise Problem "no_object" if the object does not exist, "locked" if it is locked, "absent" if it is marked absent
    in the frame. `doing` ("draw") is what is refused.
    """
    instance = _OBJECT.first(video_id=video.pk, number=object_id)
    if instance is None:
        raise Problem("no_object", f"Object {object_id} is not there any more. Choose another one.", 409)
    if instance.locked:
        raise Problem("locked", f"{instance.name} is locked. Unlock it first.", 409)
    if any(first <= frame <= last for first, last in instance.absent):
        text = f"{instance.name} is marked absent in frame {frame}. Take that back, then {doing}."
        raise Problem("absent", text, 409)


def check_not_accepted(video: Video, head: Head, frame: int, object_id: int, doing: str) -> None:
    """Raise Problem "accepted" if a frame is accepted, or the object in it. `doing` ("draw") is what is refused."""
    if is_accepted(video.pk, frame):
        raise Problem("accepted", f"Frame {frame} is accepted. Release it, then {doing}.", 409)
    if object_id in accepted_at(video.pk, head.round_id, frame):
        raise Problem("accepted", f"Object {object_id} is accepted in frame {frame}. Release it, then {doing}.", 409)
