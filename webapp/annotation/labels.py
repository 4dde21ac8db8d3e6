"""Gives the objects of a deleted label another one, and back when the label is brought back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from webapp.annotation import changes
from webapp.annotation.head import hold_all
from webapp.annotation.models import Object
from webapp.projects.labels import objects_leave
from webapp.projects.models import Label


@receiver(objects_leave, sender=Label)
def leave_label(sender: type[Label], label: Label, to: Label | None, **_: Any) -> list[int]:
    """Give all objects of a label, deleted ones too, the label `to`. Return their ids."""
    ids = list(Object.objects.filter(label=label).order_by("pk").values_list("pk", flat=True))
    relabel(ids, label.pk, to)
    return ids


def relabel(ids: Collection[int], before: int | None, to: Label | None) -> int:
    """Give the objects with these ids that have the label with the id `before` the label `to`. Return their number."""
    chosen = Object.objects.filter(pk__in=ids)
    hold_all(set(chosen.values_list("video_id", flat=True)))
    rows = list(chosen.filter(label=before).select_related("video"))
    for row in rows:
        row.label = to
    Object.objects.bulk_update(rows, ["label"], batch_size=500)
    changes.objects_changed(rows)
    return len(rows)
