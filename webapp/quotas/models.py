"""Quotas: how much of the site a project or a person may use."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from webapp.projects.models import Project

MOST = (1 << 53) - 1  # The largest whole number that is exact in every JSON program.


class Scope(models.TextChoices):
    PROJECT = "project"
    PERSON = "person"


def _limit(explanation: str) -> models.PositiveBigIntegerField:
    return models.PositiveBigIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MOST)], help_text=explanation
    )


class Quota(models.Model):
    """The limits of one project or person or, if neither is set, of all projects or persons without their own limits.

    An empty limit limits nothing. A project's or person's own limits replace those for all; they are not added up.
    """

    scope = models.CharField(max_length=8, choices=Scope.choices)
    project = models.OneToOneField(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="quota")
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="quota"
    )
    frames = _limit("Most frames of all videos.")
    bytes = _limit("Most bytes of the files of all videos and of uploads that are under way.")
    engine_seconds = _limit("Most seconds in which workers compute rounds, in any 24 hours.")

    class Meta:
        ordering = ["scope", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope=Scope.PROJECT, person=None) | Q(scope=Scope.PERSON, project=None),
                name="quota_is_of_its_scope",
                violation_error_message="Choose a project for the scope project, or a person for the scope person.",
            ),
            models.UniqueConstraint(
                fields=["scope"], condition=Q(project=None, person=None), name="one_quota_for_each_of_a_scope"
            ),
        ]

    def __str__(self) -> str:
        return str(self.project or self.person or f"each {self.scope}")
