"""What a project asks of the work that is submitted."""

from __future__ import annotations

from django.db import models

from webapp.projects.models import Project


class Below(models.TextChoices):
    """What happens to a submission that is worse than the project asks for."""

    FLAG = "flag"  # Reviewers see that it is.
    HOLD = "hold"  # It goes back to its annotator, until it was held as often as the project allows.


class QualityRule(models.Model):
    """How good a submission must be on the frames of its job that have ground truth, which annotators never see."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="quality_rule")
    least_jf = models.FloatField(null=True)  # The least J&F, 0..1. None: nothing is checked.
    below = models.CharField(max_length=8, choices=Below.choices, default=Below.FLAG)
    attempts = models.PositiveSmallIntegerField(default=3)  # How often a job is held at most.
