"""The labels of a project: replaced as a list, deleted when a person has said which labels their objects get, and
brought back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.dispatch import Signal

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.problems import Problem
from webapp.projects.members import lock_project
from webapp.projects.models import Label, Project, RemovedLabel

# Sent in the transaction in which labels are deleted. `moves` has for the id of each deleted label the Label that its
# objects get, or None. The receiver (webapp/annotation/labels.py, in a higher layer) changes the objects, and returns
# the ids of the changed objects by the id of the deleted label.
objects_leave = Signal()


@dataclass(frozen=True)
class LabelEdit:
    """A label as the person who edits the project wants it. `id` is None for a new label."""

    id: int | None
    name: str
    color: str  # #rrggbb


def replace_labels(
    project: Project, edits: Sequence[LabelEdit], *, by: User, moves: Mapping[int, int | None] | None = None
) -> None:
    """Make `edits` the labels of a project. A label that is missing from them is deleted.

    `moves` says, by the id of a deleted label, which kept label its objects get (None: none). Raises Problem
    "label_in_use" (409) for a label with objects that `moves` does not name; `in_use` lists those labels.
    """
    names = _checked_names(edits)
    lock_project(project.pk)
    kept = {edit.id for edit in edits if edit.id is not None}
    known = {label.pk: label for label in project.labels.all()}
    if unknown := kept - known.keys():
        raise Problem("unknown_label", f"This project has no label {min(unknown)}. Reload the page and try again.")
    _delete([label for pk, label in known.items() if pk not in kept], {pk: known[pk] for pk in kept}, by, moves or {})
    # Names are unique in a project. The kept labels get temporary names first, so that two can exchange theirs.
    for pk in kept:
        project.labels.filter(pk=pk).update(name=f"\x01{pk}")
    for position, (edit, name) in enumerate(zip(edits, names, strict=True)):
        label = known[edit.id] if edit.id is not None else Label(project=project)
        label.name, label.color, label.position = name, edit.color, position
        label.save()


def _checked_names(edits: Sequence[LabelEdit]) -> list[str]:
    names = [edit.name.strip() for edit in edits]
    if not all(names):
        raise Problem("no_name", "Give every label a name.")
    if len({name.casefold() for name in names}) < len(names):
        raise Problem("label_twice", "Two labels have the same name. Give each its own.")
    return names


def _delete(gone: Sequence[Label], kept: Mapping[int, Label], by: User, moves: Mapping[int, int | None]) -> None:
    _check_moves(gone, kept, moves)
    if not gone:
        return
    targets = {label.pk: moves.get(label.pk) for label in gone}
    given = {pk: None if target is None else kept[target] for pk, target in targets.items()}
    ((_, answer),) = objects_leave.send(Label, moves=given)
    moved_objects = cast(dict[int, list[int]], answer)
    for label in gone:
        target, to, moved = targets[label.pk], given[label.pk], moved_objects[label.pk]
        RemovedLabel.objects.create(
            project_id=label.project_id,
            label_id=label.pk,
            name=label.name,
            color=label.color,
            position=label.position,
            moved_to=target,
            object_ids=moved,
            deleted_at=Now(),
            deleted_by=by,
        )
        thing = Thing("label", label.pk, label.name)
        details = {"objects": len(moved), "to": None if to is None else to.name}
        record(by, "label.delete", thing, project_id=label.project_id, **details)
        label.delete()


def _check_moves(gone: Sequence[Label], kept: Mapping[int, Label], moves: Mapping[int, int | None]) -> None:
    """Raise Problem unless `moves` names all deleted labels that objects have, and objects get only kept labels."""
    wrong = next((to for to in moves.values() if to is not None and to not in kept), None)
    if wrong is not None:
        raise Problem("unknown_label", f"Objects cannot get the label {wrong}: it is not kept.", field="labels_to")
    unclear = {label.pk: label for label in gone if label.pk not in moves}
    present = Q(instances__deleted_at=None, instances__video__deleted_at=None)
    counted = Label.objects.filter(pk__in=unclear).annotate(count=Count("instances", filter=present))
    counts = {pk: count for pk, count in counted.values_list("pk", "count") if count}
    if counts:
        said = ", ".join(f"{unclear[pk].name} ({count})" for pk, count in sorted(counts.items()))
        in_use = [{"id": pk, "name": unclear[pk].name, "objects": count} for pk, count in sorted(counts.items())]
        text = f"Objects have a label that would be deleted: {said}. Say which label they get, or none."
        raise Problem("label_in_use", text, 409, field="labels_to", in_use=in_use)


def restore_label(removed: RemovedLabel) -> Label:
    """Create a deleted label again, with the id that it had. Raises Problem "label_twice" (409)."""
    if Label.objects.filter(project=removed.project_id, name__iexact=removed.name).exists():
        text = f"The project has another label called {removed.name} by now. Rename that one first."
        raise Problem("label_twice", text, 409)
    return Label.objects.create(
        pk=removed.label_id,
        project_id=removed.project_id,
        name=removed.name,
        color=removed.color,
        position=removed.position,
    )
