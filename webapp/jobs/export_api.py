"""REST calls that export the frames of jobs."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.export.api import ExportInfo, VideoExportOptions
from webapp.annotation.models import Export
from webapp.jobs import exporting
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["jobs"])

Ids = Annotated[list[int], Field(min_length=1, max_length=1000)]


class JobExportBody(Strict):
    format: Annotated[str, Field(max_length=40)]  # The name of the format.
    round: int | None = None  # The id of a round; None for the head.
    options: VideoExportOptions = VideoExportOptions()


class JobsExportBody(Strict):
    format: Annotated[str, Field(max_length=40)]  # The name of the format.
    jobs: Ids  # Jobs of the project. Those of several videos need a format that can hold several videos.
    options: VideoExportOptions = VideoExportOptions()


@router.post("/jobs/{int:job_id}/exports", response={201: ExportInfo, (400, 403, 404, 409): ErrorAnswer})
def export_job(request: HttpRequest, job_id: int, body: JobExportBody) -> Status[Export]:
    """Export the frames of a job. If the options have `spans`, only its frames within these are exported."""
    by = signed_in(request)
    made = exporting.export_job(
        by=by, job_id=job_id, format_name=body.format, round_id=body.round, options=body.options.chosen()
    )
    return Status(201, made)


@router.post("/projects/{int:project_id}/jobs/exports", response={201: ExportInfo, (400, 403, 404, 409): ErrorAnswer})
def export_jobs(request: HttpRequest, project_id: int, body: JobsExportBody) -> Status[Export]:
    """Export the frames of several jobs of a project in one file, each video at its head."""
    by = signed_in(request)
    options = body.options.chosen()
    made = exporting.export_jobs(
        by=by, project_id=project_id, job_ids=body.jobs, format_name=body.format, options=options
    )
    return Status(201, made)
