"""Shows quotas to people and changes them for administrators. Each change is written to the audit log."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Q

from webapp.accounts.models import User
from webapp.annotation.engine_time import engine_seconds
from webapp.audit.entries import Thing, record
from webapp.problems import NotFound
from webapp.projects.models import Project
from webapp.quotas import limits
from webapp.quotas.limits import Limits, Owner, QuotaUse, Use
from webapp.quotas.models import Scope
from webapp.videos.quota import taken_by

MOST_TARGETS = 20  # The most projects or people that one search returns.


@dataclass(frozen=True)
class OwnQuota:
    """The limits of one project or person. `scope` is project or person."""

    scope: str
    id: int
    name: str
    frames: int | None
    bytes: int | None
    engine_seconds: int | None


@dataclass(frozen=True)
class QuotaTarget:
    """A project or a person that can get a quota of its own. `username` is empty for a project."""

    id: int
    name: str
    username: str


@dataclass(frozen=True)
class Quotas:
    """All quotas: those for each project and each person, and those of single ones (`own`), which replace them."""

    each_project: Limits
    each_person: Limits
    own: list[OwnQuota]


def all_quotas() -> Quotas:
    """Return all quotas of the site."""
    own = [
        OwnQuota(row.scope, target.pk, getattr(target, "shown_name", "") or target.name, **asdict(found))
        for row, found in limits.owned_limits()
        if (target := row.project or row.person) is not None
    ]
    return Quotas(limits.limits_for_each(Scope.PROJECT), limits.limits_for_each(Scope.PERSON), own)


def find_targets(scope: str, text: str) -> list[QuotaTarget]:
    """Return the first projects, by name, or active people, by user name, whose name or user name contains `text`.

    Raises NotFound if `scope` is neither project nor person.
    """
    if scope == Scope.PROJECT:
        projects = Project.objects.filter(name__icontains=text, deleted_at=None)[:MOST_TARGETS]
        return [QuotaTarget(project.pk, project.name, "") for project in projects]
    if scope != Scope.PERSON:
        raise NotFound()
    named = Q(username__icontains=text) | Q(name__icontains=text)
    named |= Q(first_name__icontains=text) | Q(last_name__icontains=text)
    people = User.objects.filter(named, is_active=True).order_by("username")[:MOST_TARGETS]
    return [QuotaTarget(person.pk, person.shown_name, person.username) for person in people]


def use_of(owner: Owner) -> QuotaUse:
    """Return what a project or a person uses, and the limits that hold."""
    most, taken = limits.limits_of(owner), taken_by(owner)
    return QuotaUse(
        Use(most.frames, taken.frames),
        Use(most.bytes, taken.bytes),
        Use(most.engine_seconds, engine_seconds(owner)),
    )


@transaction.atomic
def change(scope: str, target: int | None, wanted: Limits | None, by: User) -> None:
    """Set the limits of the project or person `target` or, if it is None, those of all that have none of their own.

    If `wanted` is None, the limits of `target` are removed. What is beyond a new limit stays, but nothing can be added.
    Raises NotFound.
    """
    if scope not in Scope:
        raise NotFound()
    name = f"each {scope}" if target is None else limits.name_of(limits.target_of(Scope(scope), target))
    if wanted is not None:
        limits.set_limits(Scope(scope), target, wanted)
    elif target is not None:
        limits.drop_limits(Scope(scope), target)
    project = target if scope == Scope.PROJECT else None
    details = {} if wanted is None else asdict(wanted)
    record(by, "quota.change", Thing("quota", target, name), project_id=project, **details)
