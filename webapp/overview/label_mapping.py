"""Finds which labels of a project objects get when their videos are moved or copied into that project."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import Max

from webapp.annotation.models import Object
from webapp.problems import Problem
from webapp.projects.models import Label, Project

Given = Mapping[int, int | None]


def label_mapping(video_ids: Collection[int], target: Project, given: Given) -> dict[int, int | None]:
    """Return, by the id of each label that objects of the videos have, the id of the label that they get in `target`.

    `given` says it for some labels (None: no label). The others go to the label of the same name, which is created if
    `target` has none. Raises Problem "unknown_label" if `given` names a label that is not one of the target's.
    """
    there = {label.name.casefold(): label.pk for label in target.labels.all()}
    wrong = next((to for to in given.values() if to is not None and to not in there.values()), None)
    if wrong is not None:
        raise Problem("unknown_label", f"{target.name} has no label {wrong}.", field="labels")
    used = Object.objects.filter(video__in=video_ids, label__isnull=False).values("label")
    found: dict[int, int | None] = {}
    for label in Label.objects.filter(pk__in=used).order_by("position", "pk"):
        if label.project_id == target.pk:
            found[label.pk] = given.get(label.pk, label.pk)
        elif label.pk in given:
            found[label.pk] = given[label.pk]
        else:
            if label.name.casefold() not in there:
                there[label.name.casefold()] = _new_label(target, label).pk
            found[label.pk] = there[label.name.casefold()]
    return found


def _new_label(target: Project, like: Label) -> Label:
    last = target.labels.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    return Label.objects.create(project=target, name=like.name, color=like.color, position=position)
