"""Gives the objects of a deleted label another label or none, and gives them their label back when it is restored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django.dispatch import receiver

from webapp.annotation import changes
from webapp.annotation.head import hold_all
from webapp.annotation.models import Object
from webapp.projects.labels import objects_leave
from webapp.projects.models import Label


@receiver(objects_leave, sender=Label)
def leave_labels(sender: type[Label], moves: Mapping[int, Label | None], **_: Any) -> dict[int, list[int]]:
    """Give all objects of some labels another label, or none: `moves` has the new label by the id of the old one.

    Deleted objects get it, too.

    Return the ids of the objects, by the id of the label that they had. The heads of all their videos are locked at
    once, so that this and another writer of several videos never wait for each other.
    """
    videos = set(Object.objects.filter(label__in=moves).values_list("video_id", flat=True))
    hold_all(videos)
    left: dict[int, list[int]] = {}
    for label_id, to in moves.items():
        rows = Object.objects.filter(label=label_id, video__in=videos).order_by("pk")
        left[label_id] = _give(rows, to)
    return left


def return_to_label(ids: Collection[int], before: int | None, to: Label) -> None:
    """Give the objects with these ids that have the label with the id `before` the label `to`.

    Objects whose video was moved to another project meanwhile keep their label.
    """
    chosen = Object.objects.filter(pk__in=ids, video__project=to.project_id)
    hold_all(set(chosen.values_list("video_id", flat=True)))
    _give(chosen.filter(label=before).order_by("pk"), to)


def _give(objects: QuerySet[Object], to: Label | None) -> list[int]:
    """Give objects, the heads of whose videos are locked, the label `to`. Return their ids."""
    rows = list(objects.select_related("video"))
    for row in rows:
        row.label = to
    Object.objects.bulk_update(rows, ["label"], batch_size=500)
    changes.objects_changed(rows)
    return [row.pk for row in rows]
