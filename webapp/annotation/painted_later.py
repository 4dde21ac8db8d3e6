"""Finds the objects that were painted or edited after a scribble was drawn. A round with it keeps their pixels."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.annotation.masks import line_of
from webapp.annotation.models import Head, Origin, Round, Scribble
from webapp.prepared import Query

_SINCE = Query(
    lambda video_id, number: Round.objects.filter(
        video_id=video_id, number__gte=number, origin__in=(Origin.PAINTED, Origin.EDITED)
    ).only("number", "frame", "span", "objects_changed", "edit"),
    video_id=int,
    number=int,
)


def painted_later(head: Head, scribbles: Sequence[Scribble]) -> dict[int, list[int]]:
    """Return the ids of the objects that were painted or edited in a scribble's frame after it was drawn, by
    Scribble.id.

    Only versions on the line of the head count. A scribble is not kept from changing its own object: the painting took
    it along if the mask that was painted over showed its effect (painting.py), and otherwise the person still wants it.
    """
    drawn = {scribble: scribble.next_number for scribble in scribbles if scribble.next_number is not None}
    since = min(drawn.values(), default=head.next_round_number)
    later = _SINCE.rows(video_id=head.video_id, number=since) if since < head.next_round_number else []
    line = set(line_of(head.round_id)) if later else set()
    found = {}
    for scribble, number in drawn.items():
        objects: set[int] = set()
        for made in later:
            first, last = _changed_frames(made)
            if made.pk in line and made.number >= number and first <= scribble.frame <= last:
                objects.update(made.objects_changed or ())
        if keeps := objects - {scribble.object_id}:
            found[scribble.pk] = sorted(keeps)
    return found


def _changed_frames(made: Round) -> tuple[int, int]:
    """Return the first and the last frame that a painting or an edit changes."""
    first, last = made.span or (made.frame, made.frame)
    return (first + 1, last - 1) if made.edit and made.edit["op"] == "interpolate" else (first, last)
