"""Projects, their labels, the members with their roles, and teams of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from webapp.projects.deletable import Deletable

if TYPE_CHECKING:
    from webapp.accounts.models import User


class Sees(models.TextChoices):
    """Which videos the annotators of a project see."""

    ALL = "all"
    JOBS = "jobs"  # Only those in which they have a job, and there they only change the frames of their jobs.


def first_pin_reasons() -> list[str]:
    return ["Boundary is off", "Object is missing", "Wrong object", "Against the guide"]


class Project(Deletable):
    """Videos that a team annotates with the same labels and the same guide."""

    name = models.CharField(max_length=120)
    guide = models.TextField(blank=True)
    engine = models.CharField(max_length=40, default="default")  # the name of an engine, or "default"
    sees = models.CharField(max_length=8, choices=Sees.choices, default=Sees.ALL)
    review = models.BooleanField(default=False)  # True: every job that is submitted goes to a reviewer.
    pin_reasons = models.JSONField(default=first_pin_reasons)  # What a pin may be about, as a list of short texts.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)  # Archived projects are shown only where they are asked for.

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    """A class of objects, with the colour that a new object of this class gets."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=7)  # #rrggbb
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="label_name_once_per_project")]

    def __str__(self) -> str:
        return self.name


class RemovedLabel(Deletable):
    """A label that was deleted, and what is needed to bring it back (labels.py)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="removed_labels")
    label_id = models.PositiveBigIntegerField()  # The id that it had, and gets again.
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=7)
    position = models.PositiveIntegerField()
    moved_to = models.PositiveBigIntegerField(null=True)  # The id of the label that its objects got; None: none.
    object_ids = models.JSONField(default=list)  # The ids of its objects.

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    ANNOTATOR = "annotator"
    VIEWER = "viewer"


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    # Who changes or removes the member at this moment, for receivers of Django's signals. It is not stored.
    changed_by: User | None = None

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="member_once_per_project")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(models.Model):
    """A link with which a person joins a project with a role. The table holds a hash of its secret."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=12, choices=Role.choices)
    email = models.EmailField(blank=True)  # Empty if the link is for whoever gets it.
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    by_mail = models.BooleanField(default=False)  # A worker sends it to `email` (invitation_mail.py).
    mail_hash = models.CharField(max_length=64, null=True, unique=True)  # Of the secret in the mail.
    mailed_at = models.DateTimeField(null=True)  # When a worker sent the mail, or began to.
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.email or 'a link'} ({self.role})"


class Team(models.Model):
    """People who are invited to projects and given jobs together."""

    name = models.CharField(max_length=60)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="teams")
    projects = models.ManyToManyField(Project, related_name="teams")  # The projects to which the team was invited.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["created_by", "name"], name="team_name_once_per_maker")]

    def __str__(self) -> str:
        return self.name
