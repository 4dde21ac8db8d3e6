"""REST calls of the quality of work: numbers, J&F over seconds of work, what a project asks of submissions, and
copies of a video for several people (agreement, merging, known clips).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.schemas import Unit
from webapp.annotation.state import person
from webapp.csv_answer import csv_answer
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.quality import checking, copies
from webapp.quality.consensus_lease import AGREE, MERGE
from webapp.quality.models import Consensus, QualityRule
from webapp.quality.numbers import By, curve_of, numbers_of
from webapp.quality.schemas import Agreement, ConsensusInfo, CopyInfo, Curve, Numbers, NumbersRow, QualityInfo
from webapp.rest import ErrorAnswer, Strict, binary_answer

router = Router(tags=["quality"])


class NumbersQuery(Schema):
    """By what the numbers are grouped, and between which days (inclusive) the work was done."""

    by: By = "person"
    since: date | None = None
    until: date | None = None


class QualityPatch(Strict):
    """The fields to change. With null as `least_jf`, no submission is flagged or sent back any more."""

    least_jf: Unit | None = None
    below: Literal["flag", "hold"] | None = None
    attempts: Annotated[int, Field(ge=1, le=20)] | None = None


class DealtCopy(Schema):
    job: int
    video: int
    assignee: int


@router.get("/projects/{int:project_id}/numbers", response={200: Numbers, (403, 404): ErrorAnswer})
def get_numbers(request: HttpRequest, project_id: int, wanted: Query[NumbersQuery]) -> Numbers:
    """Return human seconds, rounds, J&F and so on of a project, by person, label, video, week, object or engine."""
    project_for(signed_in(request), project_id, Role.REVIEWER)
    return Numbers(rows=numbers_of(project_id, wanted.by, wanted.since, wanted.until))


@router.get(
    "/projects/{int:project_id}/numbers.csv",
    response={(403, 404): ErrorAnswer},
    openapi_extra=binary_answer("text/csv"),
)
def get_numbers_csv(request: HttpRequest, project_id: int, wanted: Query[NumbersQuery]) -> HttpResponse:
    """Return what was done in a project as a CSV file, with the names of the fields in its first line."""
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
    """Change what the project asks of submissions. They are compared with ground truth that annotators do not see."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changed = {name: value for name, value in given.items() if value is not None or name == "least_jf"}
    return _info(checking.change_rule(by=signed_in(request), project_id=project_id, changed=changed))


def _info(rule: QualityRule) -> QualityInfo:
    return QualityInfo(least_jf=rule.least_jf, below="hold" if rule.below == "hold" else "flag", attempts=rule.attempts)


# --- work of several people -------------------------------------------------------------------------------------------


class PeopleBody(Strict):
    people: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=copies.MOST_COPIES)]


@router.post("/jobs/{int:job_id}/consensus", response={201: ConsensusInfo, (400, 403, 404, 409): ErrorAnswer})
def give_to_many(request: HttpRequest, job_id: int, body: PeopleBody) -> Status[ConsensusInfo]:
    """Give copies of a job to several people, who do not see each other's work."""
    return Status(201, _consensus(copies.give_to_many(by=signed_in(request), job_id=job_id, people=body.people)))


@router.get("/jobs/{int:job_id}/consensus", response={200: ConsensusInfo, (403, 404): ErrorAnswer})
def get_consensus(request: HttpRequest, job_id: int) -> ConsensusInfo:
    """Return how far the copies of a job are, and how much they agree."""
    return _consensus(copies.consensus_for(signed_in(request), job_id))


@router.post("/jobs/{int:job_id}/consensus/agreement", response={200: ConsensusInfo, (403, 404, 409): ErrorAnswer})
def compute_agreement(request: HttpRequest, job_id: int) -> ConsensusInfo:
    """Let a worker compute J and F between each two copies. Ask for the consensus again until it is not `computing`."""
    return _consensus(copies.ask_for(by=signed_in(request), job_id=job_id, task=AGREE))


@router.post("/jobs/{int:job_id}/consensus/merge", response={200: ConsensusInfo, (403, 404, 409): ErrorAnswer})
def merge_copies(request: HttpRequest, job_id: int) -> ConsensusInfo:
    """Let a worker merge the copies by a vote on each pixel into a version of the job's video, which can be undone."""
    return _consensus(copies.ask_for(by=signed_in(request), job_id=job_id, task=MERGE))


@router.post("/videos/{int:video_id}/mix-in", response={201: list[DealtCopy], (400, 403, 404, 409): ErrorAnswer})
def mix_in(request: HttpRequest, video_id: int, body: PeopleBody) -> Status[list[DealtCopy]]:
    """Put a known clip into the queues of people, each of whom gets a copy that looks like any other video."""
    jobs = copies.mix_in(by=signed_in(request), video_id=video_id, people=body.people)
    return Status(201, [DealtCopy(job=job.pk, video=job.video_id, assignee=job.assignee_id or 0) for job in jobs])


def _consensus(consensus: Consensus) -> ConsensusInfo:
    jobs = [copy.job for copy in consensus.copies.select_related("job__assignee").order_by("pk")]
    return ConsensusInfo(
        job=consensus.job_id,
        copies=[
            CopyInfo.model_validate(
                {
                    "job": job.pk,
                    "video": job.video_id,
                    "person": None if job.assignee is None else person(job.assignee),
                    "stage": job.stage,
                    "state": job.state,
                }
            )
            for job in jobs
        ],
        agreement=[Agreement(**pair, jf=round((pair["j"] + pair["f"]) / 2, 4)) for pair in consensus.agreement],
        computing=consensus.computing,
        error=consensus.error,
        merged=None if consensus.merged is None else consensus.merged.number,
    )
