"""Exports of the frames of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapp.accounts.models import User
from webapp.annotation.export.jobs import make_export, make_project_export
from webapp.annotation.export.options import Options
from webapp.annotation.models import Export
from webapp.jobs.access import job_for, jobs_of
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import is_limited, require


def export_job(*, by: User, job_id: int, format_name: str, options: Options, round_id: int | None = None) -> Export:
    """Create an export of the frames of one job, or of those of its frames that are in `options.spans`.

    `round_id` is as in `make_export`. Raises Problem "no_frames" if none of these frames is in the job, and the errors
    of `make_export`.
    """
    job = job_for(by, job_id)
    spans = [[max(first, job.first), min(last, job.last)] for first, last in options.spans or [(job.first, job.last)]]
    inside = [span for span in spans if span[0] <= span[1]]
    if not inside:
        text = f"The job has the frames {job.first} to {job.last}, and these ranges none of them."
        raise Problem("no_frames", text, 409)
    chosen = replace(options, spans=inside)
    return make_export(by=by, video_id=job.video_id, format_name=format_name, round_id=round_id, options=chosen)


def export_jobs(*, by: User, project_id: int, job_ids: Sequence[int], format_name: str, options: Options) -> Export:
    """Create one export of the frames of several jobs of a project.

    Raises NotFound for a job that the person does not see or that is not of the project, Problem "not_together" for
    options that only make sense within one job, and for jobs of several videos if one of these is a copy for consensus;
    Forbidden for jobs of several videos if the person sees only the videos of their jobs; and the errors of
    `make_project_export`.
    """
    jobs = list(
        jobs_of(by)
        .filter(pk__in=job_ids, video__project=project_id)
        .select_related("video__project")
        .order_by("video", "first")
    )
    if len(jobs) != len(set(job_ids)):
        raise NotFound("job")
    spans: dict[int, list[list[int]]] = {}
    for job in jobs:
        spans.setdefault(job.video_id, []).append([job.first, job.last])
    if options.spans:
        text = "Several jobs are exported with all of their frames. Leave out spans."
        raise Problem("not_together", text, field="spans")
    if len(spans) == 1:
        ((video_id, inside),) = spans.items()
        chosen = replace(options, spans=inside)
        return make_export(by=by, video_id=video_id, format_name=format_name, options=chosen)
    if options.objects is not None:
        text = "Objects are numbered in each video by itself. Leave out objects, or export the jobs of one video."
        raise Problem("not_together", text, field="objects")
    if any(job.video.is_copy for job in jobs):
        text = "A job of a copy that several people annotate is exported by itself. Leave it out here."
        raise Problem("not_together", text, field="jobs")
    role = require(by, project_id)
    if any(is_limited(job.video.project, role) for job in jobs):
        # An export of several videos belongs to the project, so they would not see it.
        raise Forbidden("You see only the videos of your jobs. Export the jobs of one video at a time.")
    chosen = replace(options, spans_of={str(video_id): inside for video_id, inside in spans.items()})
    return make_project_export(
        by=by, project_id=project_id, format_name=format_name, options=chosen, video_ids=list(spans)
    )
