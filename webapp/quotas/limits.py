"""Finds the limits that hold for a project or a person, and changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q

from webapp.accounts.models import User
from webapp.problems import NotFound
from webapp.projects.models import Project
from webapp.quotas.models import Quota, Scope

Owner = Project | User  # What a quota limits.


@dataclass(frozen=True)
class Limits:
    """The most frames, the most bytes, and the most seconds that workers compute in any 24 hours. None: not limited."""

    frames: int | None = None
    bytes: int | None = None
    engine_seconds: int | None = None


@dataclass(frozen=True)
class Use:
    """How much is used of a limit. `limit` is None if there is none."""

    limit: int | None
    used: int


@dataclass(frozen=True)
class QuotaUse:
    """The use of all limits of a project or a person. `engine_seconds` counts the last 24 hours."""

    frames: Use
    bytes: Use
    engine_seconds: Use


def limits_of(owner: Owner) -> Limits:
    """Return the limits of a project or a person: its own or, if it has none, those for each project or person."""
    scope = _scope(owner)
    rows = Quota.objects.filter(scope=scope).filter(Q(**{scope: owner}) | Q(project=None, person=None))
    found = sorted(rows, key=_is_for_each)
    return _limits(found[0]) if found else Limits()


def limits_for_each(scope: Scope) -> Limits:
    """Return the limits of the projects or people that have none of their own."""
    row = Quota.objects.filter(scope=scope, project=None, person=None).first()
    return Limits() if row is None else _limits(row)


def set_limits(scope: Scope, target: int | None, limits: Limits) -> None:
    """Set the limits of the project or person with the id `target` or, if it is None, of all without their own."""
    keys: dict[str, Any] = {"scope": scope, "project": None, "person": None}
    if target is not None:
        keys[scope] = target_of(scope, target)
    Quota.objects.update_or_create(**keys, defaults=asdict(limits))


def drop_limits(scope: Scope, target: int) -> None:
    """Remove a project's or person's own limits, so that the general ones for projects or people apply to it again."""
    Quota.objects.filter(scope=scope, **{scope: target_of(scope, target)}).delete()


def target_of(scope: Scope, target: int) -> Owner:
    """Return the project or person with the id `target`. Raises NotFound."""
    found: Owner | None
    if scope == Scope.PROJECT:
        found = Project.objects.filter(pk=target).first()
    else:
        found = User.objects.filter(pk=target).first()
    if found is None:
        raise NotFound(scope)
    return found


def owned_limits() -> Iterator[tuple[Quota, Limits]]:
    """Yield the quotas of single projects and people, with their limits."""
    rows = Quota.objects.exclude(project=None, person=None).select_related("project", "person")
    yield from ((row, _limits(row)) for row in rows)


def name_of(owner: Owner) -> str:
    """Return how a sentence names a project or a person."""
    return f"The project {owner.name}" if isinstance(owner, Project) else owner.shown_name


def _scope(owner: Owner) -> Scope:
    return Scope.PROJECT if isinstance(owner, Project) else Scope.PERSON


def _is_for_each(row: Quota) -> bool:
    return row.project_id is None and row.person_id is None


def _limits(row: Quota) -> Limits:
    return Limits(row.frames, row.bytes, row.engine_seconds)
