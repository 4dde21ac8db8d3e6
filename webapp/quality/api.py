"""REST calls of the quality of work: numbers, the curve of J&F over time, and what a project asks of submissions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.schemas import Unit
from webapp.csv_answer import csv_answer
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.quality import checking
from webapp.quality.models import QualityRule
from webapp.quality.numbers import By, curve_of, numbers_of
from webapp.quality.schemas import Curve, Numbers, NumbersRow, QualityInfo
from webapp.rest import ErrorAnswer, binary_answer

router = Router(tags=["quality"])


class NumbersQuery(Schema):
    """How to sum up, and between which days (inclusive)."""

    by: By = "person"
    since: date | None = None
    until: date | None = None


class QualityPatch(Schema):
    """What to change. `least_jf` null means that nothing is checked any more."""

    least_jf: Unit | None = None
    below: Literal["flag", "hold"] | None = None
    attempts: Annotated[int, Field(ge=1, le=20)] | None = None


@router.get("/projects/{int:project_id}/numbers", response={200: Numbers, (403, 404): ErrorAnswer})
def get_numbers(request: HttpRequest, project_id: int, wanted: Query[NumbersQuery]) -> Numbers:
    """Return what was done in a project, by person, label, video, week, object or engine."""
    project_for(signed_in(request), project_id, Role.REVIEWER)
    return Numbers(rows=numbers_of(project_id, wanted.by, wanted.since, wanted.until))


@router.get(
    "/projects/{int:project_id}/numbers.csv",
    response={(403, 404): ErrorAnswer},
    openapi_extra=binary_answer("text/csv"),
)
def get_numbers_csv(request: HttpRequest, project_id: int, wanted: Query[NumbersQuery]) -> HttpResponse:
    """Return the same as a CSV file, with the names of the fields in its first line."""
    project_for(signed_in(request), project_id, Role.REVIEWER)
    rows = numbers_of(project_id, wanted.by, wanted.since, wanted.until)
    header = list(NumbersRow.model_fields)
    return csv_answer(f"numbers by {wanted.by}.csv", header, [[getattr(row, name) for name in header] for row in rows])


@router.get("/projects/{int:project_id}/curve", response={200: Curve, (403, 404): ErrorAnswer})
def get_curve(request: HttpRequest, project_id: int) -> Curve:
    """Return J&F after each round that was compared with ground truth, over the human seconds until then."""
    project_for(signed_in(request), project_id, Role.REVIEWER)
    return Curve(points=curve_of(project_id))


@router.get("/projects/{int:project_id}/quality", response={200: QualityInfo, (403, 404): ErrorAnswer})
def get_quality(request: HttpRequest, project_id: int) -> QualityInfo:
    """Return what the project asks of submissions, which annotators do not see."""
    project_for(signed_in(request), project_id, Role.REVIEWER)
    return _info(checking.rule_of(project_id))


@router.patch("/projects/{int:project_id}/quality", response={200: QualityInfo, (403, 404): ErrorAnswer})
def change_quality(request: HttpRequest, project_id: int, body: QualityPatch) -> QualityInfo:
    """Change what the project asks of submissions. They are compared with ground truth that annotators never see."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changed = {name: value for name, value in given.items() if value is not None or name == "least_jf"}
    return _info(checking.change_rule(by=signed_in(request), project_id=project_id, changed=changed))


def _info(rule: QualityRule) -> QualityInfo:
    return QualityInfo(least_jf=rule.least_jf, below="hold" if rule.below == "hold" else "flag", attempts=rule.attempts)
