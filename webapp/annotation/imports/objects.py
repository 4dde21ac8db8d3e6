"""Matches the objects in a file of annotations with the objects of a video, and makes those that the video lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segmentation.formats.annotated_video import NO_LABEL, AnnotatedObject
from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.colors import CHOSEN, MOST_OBJECTS
from webapp.annotation.models import Object
from webapp.annotation.objects import add_object
from webapp.projects.models import Label, Project
from webapp.videos.models import Video
from webapp.videos.refusal import Refused

Labels = Mapping[str, str | None]  # The name of a label of the project, or None, by the label in the file.


@dataclass(frozen=True)
class ObjectPlan:
    """The object id for each id in the file, and the objects of the file that have to be made, in order."""

    numbers: dict[int, int]
    new: list[AnnotatedObject]


def plan_objects(
    video: Video, there: Sequence[Object], next_number: int, objects: Sequence[AnnotatedObject], labels: Labels
) -> ObjectPlan:
    """Plan which of the file's `objects` are among the objects `there` of the video, and which are made.

    An object of the file is one of the video if it has the same name and label; where the file has no names, if it has
    the same id and label. Raises Refused if the video would have too many objects, or if such an object is locked.
    """
    left = {each.number: each for each in there}
    numbers: dict[int, int] = {}
    for found in objects:
        label = label_of(found, labels)
        same = [
            number
            for number, each in left.items()
            if (each.label.name if each.label else None) == label
            and (each.name == found.name if found.name else number == found.id)
        ]
        if same:
            numbers[found.id] = left.pop(same[0]).number
    new = [found for found in objects if found.id not in numbers]
    numbers |= {found.id: next_number + at for at, found in enumerate(new)}
    if next_number + len(new) - 1 > MOST_OBJECTS:
        raise Refused(
            "too_many_objects",
            f"{video.name} would have {next_number + len(new) - 1} objects, deleted ones included; a video has "
            f"{MOST_OBJECTS} at most.",
        )
    locked = [each.name for each in there if each.locked and each.number in numbers.values()]
    if locked:
        raise Refused("locked", f"{locked[0]} of {video.name} is locked. Unlock it first.", 409)
    return ObjectPlan(numbers, new)


def make_objects(video: Video, author: User, plan: ObjectPlan, labels: Labels, known: Mapping[str, Label]) -> None:
    """Make the new objects of a plan. The caller has locked the video's head. `known` has the project's labels by their
    names in lower case.
    """
    for found in plan.new:
        name = label_of(found, labels)
        label = known[name.casefold()] if name else None
        made = add_object(
            video=video,
            author=author,
            name=found.name[:60],
            color=found.color or None,
            label_id=label.pk if label else None,
        )
        assert made.number == plan.numbers[found.id]
        spans = [list(span) for span in found.absent if span[1] < video.frame_count]
        if spans:
            Object.objects.filter(pk=made.pk).update(absent=spans)
            made.absent = spans
            changes.absent_changed(made)


def label_of(found: AnnotatedObject, labels: Labels) -> str | None:
    """Return the name of the project's label for an object of the file, or None if it gets none."""
    if not found.label or (found.label == NO_LABEL and found.label not in labels):
        return None
    return labels.get(found.label, found.label)


def make_labels(project: Project, names: Iterable[str]) -> dict[str, Label]:
    """Make the labels in `names` that the project does not have. Return all its labels by their names in lower case."""
    known = {label.name.casefold(): label for label in project.labels.all()}
    for name in names:
        if name.casefold() not in known:
            color = CHOSEN[len(known) % len(CHOSEN)]
            made = Label.objects.create(project=project, name=name[:60], color=color, position=len(known))
            known[name.casefold()] = made
    return known
