"""Functions that change jobs and read them."""

from __future__ import annotations

from webapp.accounts.models import User
from webapp.jobs.models import Job
from webapp.jobs.moves import move_job
from webapp.jobs.states import Action
from webapp.videos.models import Video


def job_of(video: Video) -> Job:
    return Job.objects.select_related("video__project").get(video=video)


def at(job: Job) -> tuple[str, str]:
    job.refresh_from_db()
    return job.stage, job.state


def do(by: User, job: Job, *actions: str, note: str = "") -> Job:
    """Carry out actions on a job one after the other as a person, each with the job's newest edition.

    `note` is written with each of them.
    """
    for action in actions:
        job.refresh_from_db()
        move_job(by=by, job_id=job.pk, action=Action(action), edition=job.edition, note=note)
    job.refresh_from_db()
    return job
