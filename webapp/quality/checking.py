"""Compares what is submitted with hidden ground truth: flags a bad submission, and may send it back to its annotator.

A worker scores every round of a video that has ground truth. A submission whose masks have no score yet is checked when
the score arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from webapp.accounts.models import User
from webapp.annotation.head import head_of, hold
from webapp.annotation.models import RoundScore
from webapp.audit.entries import Thing, record
from webapp.jobs.models import Job, JobState, Stage
from webapp.jobs.moves import address_of, name_of, save, submitted
from webapp.jobs.states import ACCEPTED, ANNOTATED, IN_REVIEW, SUBMITTED, place_of
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.projects.access import project_for
from webapp.projects.models import Project, Role
from webapp.quality.models import Below, QualityRule

WAITING = (SUBMITTED, ANNOTATED)  # Where a job is after it was submitted, until somebody goes on with it.
# A reviewer may be faster than the score, which then still flags the job.
CHECKED = (*WAITING, IN_REVIEW, ACCEPTED)
HELD = "The check of this project found masks that are not good enough yet. Look at all frames again, then submit."


def rule_of(project_id: int) -> QualityRule:
    """Return what a project asks of submissions. If it asks for nothing, this is a new row that is not stored."""
    found = QualityRule.objects.filter(project_id=project_id).first()
    return found or QualityRule(project_id=project_id)


@transaction.atomic
def change_rule(*, by: User, project_id: int, changed: dict[str, object]) -> QualityRule:
    """Change what a project asks of submissions. This needs a manager."""
    project = project_for(by, project_id, Role.MANAGER)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    rule = rule_of(project.pk)
    for name, value in changed.items():
        setattr(rule, name, value)
    rule.save()
    record(by, "quality.change", Thing("project", project.pk, project.name), project_id=project.pk, **changed)
    return rule


@receiver(submitted, sender=Job)
def check_when_submitted(sender: type[Job], job: Job, **_: Any) -> None:
    """Compare a job that is submitted now with its ground truth, if the J&F of its masks is known already."""
    check_submitted(job.video_id)


@transaction.atomic
def check_submitted(video_id: int) -> None:
    """Check the submitted jobs of a video that were not checked yet, once the J&F of its masks is known."""
    hold(video_id)
    head = head_of(video_id)
    score = None if head is None else RoundScore.objects.filter(round_id=head).first()
    if score is None and head is not None:
        return
    waiting = Job.objects.filter(video=video_id, checked=False).select_related("video__project")
    rule: QualityRule | None = None
    for job in waiting:
        if place_of(job) in CHECKED:
            rule = rule or rule_of(job.video.project_id)
            _check(job, rule, score)


def _check(job: Job, rule: QualityRule, score: RoundScore | None) -> None:
    """Check a job against the score of its video; None: the video has no masks, so all its ground truth is missed."""
    found = [(frame, 0, 0.0, 0.0) for frame in job.video.truth_frames] if score is None else score.cells
    cells = [(j, f) for frame, _, j, f in found if job.first <= frame <= job.last]
    job.checked = True
    job.j, job.f = _mean(j for j, _ in cells), _mean(f for _, f in cells)
    job.jf = _mean((j + f) / 2 for j, f in cells)
    bad = job.jf is not None and rule.least_jf is not None and job.jf < rule.least_jf
    job.flagged = bad
    may_hold = rule.below == Below.HOLD and job.holds < rule.attempts and place_of(job) in WAITING
    if bad and may_hold and job.assignee is not None:
        _hold(job, job.assignee)
    else:
        Job.objects.filter(pk=job.pk).update(checked=True, j=job.j, f=job.f, jf=job.jf, flagged=bad)


def _hold(job: Job, assignee: User) -> None:
    """Send a job back to its assignee. The text does not say which frames are bad, because their truth is hidden."""
    before = place_of(job)
    job.holds += 1
    job.stage, job.state = Stage.ANNOTATION, JobState.REJECTED
    save(job, assignee, "hold", before, note=HELD)
    link = address_of(job)
    notify([job.assignee_id], Kind.SENT_BACK, f"{name_of(job)}: {HELD}", link=link, project_id=job.video.project_id)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
