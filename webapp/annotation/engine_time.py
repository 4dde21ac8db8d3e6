"""Measures how long workers computed rounds for a project or a person, and refuses rounds beyond their quota."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce, Now

from webapp.accounts.models import User
from webapp.annotation.models import Origin, Round
from webapp.prepared import Query
from webapp.problems import Problem
from webapp.projects.models import Project
from webapp.quotas.limits import Owner, limits_of, name_of
from webapp.quotas.models import Quota

WINDOW = timedelta(hours=24)
_LIMITS = Query(lambda least: Quota.objects.filter(engine_seconds__gte=least).values_list("pk")[:1], least=int)


def engine_seconds(owner: Owner) -> int:
    """Return the seconds that workers took for the rounds of a project, or for those that a person asked for.

    Rounds of engines that began within the last 24 hours count, those that run with their time so far. Edits do not
    count, nor rounds that came with a copied video, which count where they were made.
    """
    return _used(owner)[0]


def check_engine_time(project: Project, person: User) -> None:
    """Raise Problem "quota" (429) if a project or a person has used as much time of workers as the quota allows.

    `retry_after` is the time in seconds after which the oldest round no longer counts. No running round is stopped.
    """
    if not _LIMITS.rows(least=0):
        return
    for owner in (project, person):
        limit = limits_of(owner).engine_seconds
        if limit is None:
            continue
        used, wait = _used(owner)
        if used >= limit:
            raise Problem(
                "quota",
                f"{name_of(owner)} may use workers for {limit:,} seconds in 24 hours and has used {used:,}. "
                "Your scribbles are kept: run them later, or ask an administrator for more.",
                429,
                retry_after=wait,
            )


def _used(owner: Owner) -> tuple[int, int]:
    """Return the seconds that were used, and the seconds until the oldest round no longer counts."""
    whose = Q(video__project=owner) if isinstance(owner, Project) else Q(author=owner)
    took = ExpressionWrapper(Coalesce("finished_at", Now()) - F("started_at"), output_field=DurationField())
    recent = Round.objects.filter(whose, origin=Origin.ROUND, started_at__gt=Now() - WINDOW).order_by()
    rows = recent.exclude(created_at__lt=F("video__created_at"))
    found = rows.annotate(took=took).aggregate(used=Sum("took"), first=Min("started_at"), now=Max(Now()))
    if found["used"] is None:
        return 0, math.ceil(WINDOW.total_seconds())
    wait = found["first"] + WINDOW - found["now"]
    return round(found["used"].total_seconds()), max(math.ceil(wait.total_seconds()), 1)
