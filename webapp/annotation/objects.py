"""Objects of a video: added at any time, renamed, recoloured, deleted and brought back."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.accepted_objects import end_changed_since
from webapp.annotation.colors import MOST_OBJECTS, unused_color
from webapp.annotation.head import hold
from webapp.annotation.models import Object
from webapp.problems import NotFound, Problem
from webapp.projects.models import Label
from webapp.videos.models import Video

NAME_LENGTH = 60  # The length of the database column.


class ObjectChanges(TypedDict, total=False):
    """Fields of an object that can be changed. `label` None removes the label; `position` is an index in the list."""

    name: str
    color: str
    deleted: bool
    label: int | None
    locked: bool
    position: int


@transaction.atomic
def add_object(
    *, video: Video, author: User, name: str = "", color: str | None = None, label_id: int | None = None
) -> Object:
    """Create an object with the next object id, which no other object of the video has ever had.

    Without a `color` it gets one that no other object of the video has: the colour of its label if it has one, or the
    nearest that is free. Raises Problem "too_many_objects", and NotFound for a label that the project does not have.
    """
    head = hold(video.pk)
    number = head.next_object_number
    last = Object.objects.filter(video=video).aggregate(last=Max("position"))["last"]
    if number > MOST_OBJECTS:
        raise Problem("too_many_objects", f"A video has {MOST_OBJECTS} objects at most, deleted ones included.", 409)
    label = _label(video, label_id)
    used = Object.objects.filter(video=video).values_list("color", flat=True)
    instance = Object.objects.create(
        video=video,
        number=number,
        name=name.strip() or _numbered(label.name if label else "Object", number),
        color=color or unused_color(used, label.color if label else None),
        label=label,
        position=(last or 0) + 1,
        created_by=author,
    )
    head.next_object_number = number + 1
    head.save(update_fields=["next_object_number"])
    changes.object_changed(instance)
    return instance


@transaction.atomic
def update_object(*, video: Video, number: int, **changed: Unpack[ObjectChanges]) -> Object:
    """Change the given columns of an object; those that are not given stay as they are.

    A deleted object keeps its masks and scribbles, so it can be brought back. Raises NotFound and Problem "empty_name".
    """
    hold(video.pk)
    instance = Object.objects.filter(video=video, number=number).first()
    if instance is None:
        raise NotFound("object")
    if "name" in changed:
        if not changed["name"].strip():
            raise Problem("empty_name", "An object needs a name.")
        instance.name = changed["name"].strip()
    if "color" in changed:
        instance.color = changed["color"]
    if "deleted" in changed and changed["deleted"] != (instance.deleted_at is not None):
        if instance.deleted_at is not None:
            end_changed_since(instance, instance.deleted_at)
        instance.deleted_at = timezone.now() if changed["deleted"] else None
    if "label" in changed:
        instance.label = _label(video, changed["label"])
    if "locked" in changed:
        instance.locked = changed["locked"]
    instance.save(update_fields=["name", "color", "deleted_at", "label", "locked"])
    moved = _move(instance, changed["position"]) if "position" in changed else []
    for row in [instance, *(row for row in moved if row.pk != instance.pk)]:
        changes.object_changed(row)
    return instance


def _move(instance: Object, position: int) -> list[Object]:
    """Move an object to an index in the list of the video's objects. Return the rows whose position changed."""
    rows = [row for row in Object.objects.filter(video=instance.video_id) if row.pk != instance.pk]
    rows.insert(position, instance)
    moved = [(index, row) for index, row in enumerate(rows, 1) if row.position != index]
    for index, row in moved:
        row.position = index
        row.save(update_fields=["position"])
    return [row for _, row in moved]


def deleted_numbers(video_id: int) -> set[int]:
    """Return the ids of the objects that are deleted now. Exports show them as background."""
    rows = Object.objects.filter(video_id=video_id, deleted_at__isnull=False)
    return set(rows.values_list("number", flat=True))


def locked_numbers(video_id: int) -> set[int]:
    """Return the ids of the objects that are locked now and not deleted."""
    rows = Object.objects.filter(video_id=video_id, deleted_at=None, locked=True)
    return set(rows.values_list("number", flat=True))


def _numbered(name: str, number: int) -> str:
    """Return `name` followed by `number`. `name`, often that of a label, is shortened so that both fit the database
    column.
    """
    behind = f" {number}"
    return name[: NAME_LENGTH - len(behind)].rstrip() + behind


def _label(video: Video, label_id: int | None) -> Label | None:
    if label_id is None:
        return None
    label = Label.objects.filter(pk=label_id, project_id=video.project_id).first()
    if label is None:
        raise NotFound("label")
    return label
