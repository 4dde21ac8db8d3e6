"""Creates projects, changes them and their labels, and deletes them.

The role of the person is checked in the transaction that changes or deletes a project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.problems import Problem
from webapp.projects.access import project_for
from webapp.projects.deletable import put_into_trash
from webapp.projects.engines import checked_engine
from webapp.projects.labels import LabelEdit, replace_labels
from webapp.projects.models import Label, Membership, Project, Role, Sees

# The labels of a new project: names and colours.
FIRST_LABELS = (("Object", "#4aa3ff"),)


@dataclass(frozen=True)
class Before:
    """The guide and the labels that the page showed before the person edited them.

    None means that the page did not say what it showed, so it is not compared.
    """

    guide: str | None = None
    labels: Sequence[LabelEdit] | None = None


@dataclass(frozen=True)
class TeamSettings:
    """How a team works in a project (see models.py), and whether it is archived. None leaves a setting as it is."""

    sees: Sees | None = None
    review: bool | None = None
    pin_reasons: Sequence[str] | None = None
    archived: bool | None = None

    def given(self) -> dict[str, object]:
        """Return the settings to change, except `archived`, by column.

        Raises Problem if a reason for pins is empty or is listed twice.
        """
        given: dict[str, object] = {"sees": self.sees, "review": self.review}
        if self.pin_reasons is not None:
            reasons = [reason.strip() for reason in self.pin_reasons]
            if not all(reasons) or len({reason.casefold() for reason in reasons}) < len(reasons):
                raise Problem("bad_reasons", "Each reason needs a text of its own.")
            given["pin_reasons"] = reasons
        return {name: value for name, value in given.items() if value is not None}


@transaction.atomic
def create_project(
    *,
    by: User,
    name: str,
    guide: str = "",
    engine: str = "default",
    labels: Sequence[tuple[str, str]] = FIRST_LABELS,
) -> Project:
    """Create a project with `by` as its owner. `labels` are the names and colours (#rrggbb) of its labels."""
    engine = checked_engine(engine)
    project = Project.objects.create(name=_checked_name(name), guide=guide, engine=engine, created_by=by)
    Membership.objects.create(project=project, user=by, role=Role.OWNER)
    for position, (label, color) in enumerate(labels):
        Label.objects.create(project=project, name=label, color=color, position=position)
    record(by, "project.create", _thing(project), project_id=project.pk)
    return project


@transaction.atomic
def change_project(
    *,
    by: User,
    project_id: int,
    name: str | None = None,
    guide: str | None = None,
    engine: str | None = None,
    team: TeamSettings | None = None,
    labels: Sequence[LabelEdit] | None = None,
    moves: Mapping[int, int | None] | None = None,
    before: Before | None = None,
) -> Project:
    """Change the fields that are given. `labels` is the whole new list; a label that is missing from it is deleted.

    `moves` says where the objects of deleted labels go (labels.py). Raises Problem "changed_meanwhile" (409) if the
    project differs from `before`, and what `replace_labels` raises.
    """
    project = project_for(by, project_id, Role.MANAGER)
    if before is not None:
        _check_unchanged(project, before)
    changed: dict[str, object] = {} if team is None else team.given()
    if name is not None:
        changed["name"] = _checked_name(name)
    if guide is not None:
        changed["guide"] = guide
    if engine is not None:
        changed["engine"] = checked_engine(engine)
    old = {field: getattr(project, field) for field in changed}
    for field, value in changed.items():
        setattr(project, field, value)
    _archive(by, project, None if team is None else team.archived)
    project.save(update_fields=changed)  # only these, because somebody else may have changed other fields meanwhile
    if labels is not None:
        replace_labels(project, labels, by=by, moves=moves)
    _record_changes(by, project, {field: [value, changed[field]] for field, value in old.items()})
    return project


def _archive(by: User, project: Project, archived: bool | None) -> None:
    """Archive a project, or take it out of the archive (False); None changes nothing.

    Nobody loses access; the project is only listed elsewhere.
    """
    if archived is None or archived == (project.archived_at is not None):
        return
    Project.objects.filter(pk=project.pk).update(archived_at=Now() if archived else None)
    record(by, f"project.{'archive' if archived else 'unarchive'}", _thing(project), project_id=project.pk)


def _thing(project: Project) -> Thing:
    return Thing("project", project.pk, project.name)


def _record_changes(by: User, project: Project, values: dict[str, list[object]]) -> None:
    """Record what changed, by field, as [before, after]. Of the guide only its lengths are kept, because it is long."""
    details: dict[str, object] = {field: pair for field, pair in values.items() if pair[0] != pair[1]}
    if "guide" in details:
        details["guide"] = [f"{len(str(text))} characters" for text in values["guide"]]
    if details:
        record(by, "project.change", _thing(project), project_id=project.pk, **details)


def _check_unchanged(project: Project, before: Before) -> None:
    labels = [LabelEdit(label.pk, label.name, label.color) for label in project.labels.all()]
    same_guide = before.guide in (None, project.guide)
    if not same_guide or (before.labels is not None and list(before.labels) != labels):
        what = "labels" if same_guide else "guide"
        text = f"Somebody else saved the {what} meanwhile. Revert shows theirs; Save puts yours in their place."
        raise Problem("changed_meanwhile", text, 409)


@transaction.atomic
def delete_project(*, by: User, project_id: int) -> None:
    """Put a project with everything in it into the trash."""
    project = project_for(by, project_id, Role.OWNER)
    record(by, "project.delete", _thing(project), project_id=project_id)
    put_into_trash(project, by)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Problem("no_name", "Give the project a name.")
    return name
