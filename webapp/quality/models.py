"""How good the submitted work of a project must be, and consensus jobs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from webapp.annotation.models import Round
from webapp.jobs.models import Job
from webapp.projects.models import Project
from webapp.tasks.lease import LeasedTask


class Below(models.TextChoices):
    """What happens to a submission that is worse than the project asks for."""

    FLAG = "flag"  # Reviewers see that it is.
    HOLD = "hold"  # It goes back to its annotator, until it was held as often as the project allows.


class QualityRule(models.Model):
    """How good a submission must be on the frames of its job that have ground truth, which annotators never see."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="quality_rule")
    least_jf = models.FloatField(null=True)  # The least J&F, 0..1. None: no submission is flagged or held.
    below = models.CharField(max_length=8, choices=Below.choices, default=Below.FLAG)
    attempts = models.PositiveSmallIntegerField(default=3)  # How often a job is held at most.


class Computing(models.TextChoices):
    """Whether a worker computes the agreement of the copies or merges them, or was asked to and has not begun."""

    NOTHING = "nothing"
    WAITING = "waiting"
    RUNNING = "running"


class Consensus(LeasedTask):
    """A job that several people do, each in a copy of the video.

    A worker holds a lease on the row while it computes the agreement of the copies or merges them.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="consensus")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=Computing.choices, default=Computing.NOTHING)
    task = models.CharField(max_length=40, blank=True)  # The Celery task that was asked for last.
    error = models.TextField(blank=True)  # A sentence about why the worker could not.
    # J and F between each two copies: [{"a": id of a job, "b": id of another one, "j", "f"}, ...].
    agreement = models.JSONField(default=list)
    # The version that the copies were merged into.
    merged = models.ForeignKey(Round, on_delete=models.SET_NULL, null=True, related_name="+")

    @property
    def computing(self) -> bool:
        """Whether a worker was asked to compute the agreement or to merge the copies, and has not finished."""
        return self.state != Computing.NOTHING


class ConsensusCopy(models.Model):
    consensus = models.ForeignKey(Consensus, on_delete=models.CASCADE, related_name="copies")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="consensus_copy")
