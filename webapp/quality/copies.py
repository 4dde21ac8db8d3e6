"""Makes copies of a video, so that several people annotate it without seeing each other's work.

They serve for consensus, or to check annotators by clips whose ground truth is known.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.head import hold
from webapp.annotation.models import Head, Object
from webapp.audit.entries import Thing, record
from webapp.jobs.access import job_for
from webapp.jobs.assigning import annotator_of, assign
from webapp.jobs.models import Job
from webapp.jobs.moves import held_job, name_of, save
from webapp.jobs.states import IN_PROGRESS, NEW, is_open, place_of
from webapp.problems import NotFound, Problem
from webapp.projects.access import require
from webapp.projects.models import Role
from webapp.quality.consensus_lease import CONSENSUS
from webapp.quality.models import Computing, Consensus, ConsensusCopy
from webapp.videos.access import video_for
from webapp.videos.copying import copies_of, finish_copy
from webapp.videos.models import Video

MOST_COPIES = 20


def give_to_many(*, by: User, job_id: int, people: Sequence[int]) -> Consensus:
    """Give copies of a job to several people, who do not see each other's work. The job itself leaves the pool.

    Raises Problem: "work_begun" (409) if somebody works on the job, "given_already" (409) if it was given to several
    people before, "too_few" for less than two people, "too_many" for more than MOST_COPIES.
    """
    with transaction.atomic():
        video = _free_job(by, job_id).video
        count = len(_people(video.project_id, people, 2))
    with copies_of(video, count, by=by) as copies, transaction.atomic():
        job = _free_job(by, job_id)  # Somebody may have begun it since.
        consensus = Consensus.objects.create(job=job, created_by=by)
        for user, copy in zip(_people(video.project_id, people, 2), copies, strict=True):
            ConsensusCopy.objects.create(consensus=consensus, job=_job_in(copy, user, job, by))
        before = place_of(job)
        job.stage, job.state, job.assignee = IN_PROGRESS.stage, IN_PROGRESS.state, None
        save(job, by, "consensus", before)
        return consensus


def _free_job(by: User, job_id: int) -> Job:
    """Return a job that nobody has begun, locked until the transaction ends. Raises what `give_to_many` raises."""
    job = held_job(by, job_id)
    require(by, job.video.project_id, Role.MANAGER, what="job")
    if place_of(job) != NEW:
        raise Problem("work_begun", "Somebody works on this job already, so it cannot be given to several.", 409)
    if Consensus.objects.filter(job=job).exists():
        raise Problem("given_already", "This job was given to several people already.", 409)
    return job


def mix_in(*, by: User, video_id: int, people: Sequence[int]) -> list[Job]:
    """Put a known clip into the queues of people: each gets a copy that looks like any other video.

    Raises Problem "no_truth" (409) if the video has no ground truth with which the work could be compared.
    """
    video = video_for(by, video_id, Role.MANAGER)
    if not video.truth_frames:
        raise Problem("no_truth", "This video has no ground truth to compare with. Import some first.", 409)
    users = _people(video.project_id, people, 1)
    with copies_of(video, len(users), by=by) as copies, transaction.atomic():
        whole = Job(video=video_for(by, video_id, Role.MANAGER), first=0, last=video.frame_count - 1)
        users = _people(video.project_id, people, 1)  # Somebody may have left since.
        jobs = [_job_in(copy, user, whole, by) for user, copy in zip(users, copies, strict=True)]
        thing = Thing("video", video.pk, video.name)
        record(by, "video.mix_in", thing, project_id=video.project_id, people=len(jobs))
        return jobs


def _people(project_id: int, people: Sequence[int], least: int) -> list[User]:
    users = [annotator_of(project_id, user_id) for user_id in dict.fromkeys(people)]
    if not least <= len(users) <= MOST_COPIES:
        text = f"Choose {least} to {MOST_COPIES} different people; these are {len(users)}."
        raise Problem("too_few" if len(users) < least else "too_many", text, field="people")
    return users


def _job_in(video: Video, user: User, job: Job, by: User) -> Job:
    """Make a copy of the video of `job` ready, with its objects, and assign its job of the same frames to `user`."""
    finish_copy(video)
    _copy_objects(job.video, video)
    copy = Job.objects.select_related("video__project").get(video=video)
    copy.first, copy.last = job.first, job.last
    copy.priority, copy.due, copy.instructions = job.priority, job.due, job.instructions
    copy.save()
    assign(copy, user, by)
    return copy


def _copy_objects(source: Video, target: Video) -> None:
    head = hold(target.pk)
    for instance in Object.objects.filter(video=source, deleted_at=None):
        instance.pk, instance.video = None, target
        instance.absent = []
        instance.save()
    following = Head.objects.filter(video=source).values_list("next_object_number", flat=True).first()
    head.next_object_number = following or 1
    head.save(update_fields=["next_object_number"])


def consensus_for(user: User, job_id: int, at_least: Role = Role.REVIEWER) -> Consensus:
    """Return the consensus of a job. Raises NotFound or Forbidden."""
    job = job_for(user, job_id)
    require(user, job.video.project_id, at_least, what="job")
    found = Consensus.objects.select_related("job__video", "merged").filter(job=job).first()
    if found is None:
        raise NotFound("consensus")
    return found


@transaction.atomic
def ask_for(*, by: User, job_id: int, task: str) -> Consensus:
    """Let a worker compute the agreement (the task `AGREE`), or merge the copies into the video of the job (`MERGE`).

    Raises Problem "not_ended" (409) while a copy is not submitted, and "computing" (409) while a worker is at it.
    """
    consensus = consensus_for(by, job_id, Role.MANAGER)
    copies = list(consensus.copies.select_related("job__assignee"))
    late = next((copy.job for copy in copies if is_open(copy.job)), None)
    if late is not None:
        whose = "nobody" if late.assignee is None else late.assignee.shown_name
        raise Problem("not_ended", f"The copy of {whose} is not submitted yet.", 409)
    asked = {"state": Computing.WAITING, "task": task, "error": "", "attempts": 0, "postponed": 0, "heartbeat": None}
    free = Consensus.objects.filter(pk=consensus.pk, state=Computing.NOTHING)
    if not free.update(notified_at=Now(), **asked):
        raise Problem("computing", "A worker computes something of these copies. Wait until it is done.", 409)
    CONSENSUS.notify(consensus.pk)
    thing = Thing("job", job_id, name_of(consensus.job))
    record(by, f"job.{task.partition('.')[2]}", thing, project_id=consensus.job.video.project_id)
    consensus.refresh_from_db()
    return consensus
