"""Strokes: saved when the pen is lifted, and waiting for a round since then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.models import Object, Round, Stroke
from webapp.problems import Forbidden, NotFound, Problem
from webapp.videos.models import Video, VideoState

PLACES = 5  # decimals of a coordinate that are kept: a 25th of a pixel on the widest frame


@transaction.atomic
def add_stroke(
    *, video: Video, author: User, key: UUID | str, frame: int, number: int, path: Sequence[Sequence[float]]
) -> Stroke:
    """Store a stroke of object `number` (0 = background). `path` is [[x, y], ...] in 0..1."""
    hold(video.pk)
    check_frame(video, frame)
    if number and not Object.objects.filter(video=video, number=number, deleted_at=None).exists():
        raise Problem("no_object", f"Object {number} is not there any more. Choose another one.", 409)
    if Stroke.objects.filter(key=key).exists():
        raise Problem("key_taken", "This stroke has the key of another one. Reload the page.", 409)
    rounded = [[round(float(x), PLACES), round(float(y), PLACES)] for x, y in path]
    stroke = Stroke.objects.create(video=video, key=key, frame=frame, object_number=number, path=rounded, author=author)
    changes.stroke_added(stroke)
    return stroke


@transaction.atomic
def remove_stroke(*, video: Video, author: User, key: UUID | str) -> None:
    """Take back a stroke of one's own that no round has used; one that was taken back before stays so."""
    hold(video.pk)
    stroke = Stroke.objects.filter(video=video, key=key).first()
    if stroke is None:
        raise NotFound("stroke")
    if stroke.author_id != author.pk:
        raise Forbidden("This stroke is somebody else's.")
    if stroke.round_id is not None:
        raise Problem("stroke_used", "A round has used this stroke already. Undo the round instead.", 409)
    if stroke.deleted_at is None:
        stroke.deleted_at = timezone.now()
        stroke.save(update_fields=["deleted_at"])
        changes.strokes_removed(video.pk, [str(stroke.key)])


def waiting(video: Video, author: User, frame: int) -> QuerySet[Stroke]:
    """What `author` drew on `frame` and no round has used, oldest first, without strokes of deleted objects."""
    there = Object.objects.filter(video=video, deleted_at=None).values("number")
    return Stroke.objects.filter(
        Q(object_number=0) | Q(object_number__in=there),
        video=video,
        author=author,
        frame=frame,
        round=None,
        deleted_at=None,
    ).order_by("id")


def as_scribbles(strokes: Iterable[Stroke]) -> list[dict[str, object]]:
    """Strokes in the DAVIS format, in the order they were drawn."""
    return [{"path": one.path, "object_id": one.object_number} for one in strokes]


def release_scribbles(round_: Round) -> None:
    """Let the strokes of a round wait again: it ended without having used them."""
    strokes = list(round_.strokes.select_related("author"))
    round_.strokes.update(round=None)
    for stroke in strokes:
        changes.stroke_added(stroke)


def check_frame(video: Video, frame: int) -> None:
    if video.state != VideoState.READY:
        raise Problem("not_ready", "This video is not ready yet. Wait for its import to end.", 409)
    if not 0 <= frame < video.frame_count:
        raise Problem("bad_frame", f"Frame {frame} is outside this video: it has 0 to {video.frame_count - 1}.", 422)
