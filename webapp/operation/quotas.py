"""Shows quotas to people and changes them for administrators. Each change is written to the audit log."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation.engine_time import engine_seconds
from webapp.audit.entries import Thing, record
from webapp.problems import NotFound
from webapp.quotas import limits
from webapp.quotas.limits import Limits, Owner, QuotaUse, Use
from webapp.quotas.models import Scope
from webapp.videos.quota import taken_by


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
class Quotas:
    """All quotas: those of each project and person without its own, and the own ones."""

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
    """Set the limits of a project or a person, or of each one if `target` is None. With None they are removed.

    What is beyond a new limit stays; nothing can be added to it. Raises NotFound.
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
