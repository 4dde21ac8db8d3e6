"""Jobs, the pieces of work of people, and the log of what happened to them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from webapp.videos.models import Video

MOST_PRIORITY = 9


class Stage(models.TextChoices):
    """Whose turn it is: the annotator draws, the reviewer looks at the result, or the job is accepted."""

    ANNOTATION = "annotation"
    VALIDATION = "validation"
    ACCEPTANCE = "acceptance"


class JobState(models.TextChoices):
    """How far a job is within its stage. A rejected job has been sent back to its annotator."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REJECTED = "rejected"


class Job(models.Model):
    """The frames from `first` to `last` (inclusive) of a video, as the work of one person.

    A ready video has one job of all its frames until somebody cuts it. A copy for a consensus has one of the frames of
    the job that was given to several people. `states.py` lists the moves between stages and states.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="jobs")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    position = models.PositiveIntegerField(default=0)  # The place among the jobs of the video.
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="jobs")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="reviews")
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.ANNOTATION)
    state = models.CharField(max_length=12, choices=JobState.choices, default=JobState.NEW)
    # A job with a higher priority comes first. 0 is the usual one.
    priority = models.SmallIntegerField(
        default=0, validators=[MinValueValidator(-MOST_PRIORITY), MaxValueValidator(MOST_PRIORITY)]
    )
    due = models.DateField(null=True)
    due_told = models.BooleanField(default=False)  # Whether the assignee was told that it is due soon (due.py).
    instructions = models.TextField(blank=True)  # What holds for this job, in addition to the guide of the project.
    # It rises with each change. A request names the edition that its sender saw, and is refused if it is an old one.
    edition = models.PositiveIntegerField(default=1)
    attempts = models.PositiveIntegerField(default=0)  # How many times the job was submitted.
    # Whether the masks that were submitted last were compared with ground truth, and what came of it. Annotators never
    # see it. `j`, `f` and `jf` are means over the job's frames with ground truth, 0..1. They are None if there are no
    # such frames or no check yet; `j` and `f` also for jobs that were checked before they were columns.
    checked = models.BooleanField(default=False)
    j = models.FloatField(null=True)
    f = models.FloatField(null=True)
    jf = models.FloatField(null=True)
    flagged = models.BooleanField(default=False)  # It is worse than the project asks for.
    holds = models.PositiveSmallIntegerField(default=0)  # How often the check sent the job back.
    sample = models.JSONField(null=True)  # The frames that a reviewer is to look at; None: all of them.
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["video", "position", "id"]
        indexes = [
            models.Index(fields=["assignee", "stage", "state"]),
            models.Index(fields=["reviewer", "stage", "state"]),
            models.Index(fields=["stage", "state", "assignee"]),
            models.Index(fields=["video", "assignee"]),
            models.Index(fields=["video", "reviewer"]),
        ]


class JobEvent(models.Model):
    """Something that happened to a job, such as a move, an assignment, or a change of its priority or due date."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(
        max_length=12
    )  # An action of states.py, or "assign", "change", "cut", "hold", "sample" or "consensus".
    from_stage = models.CharField(max_length=12, choices=Stage.choices)
    from_state = models.CharField(max_length=12, choices=JobState.choices)
    to_stage = models.CharField(max_length=12, choices=Stage.choices)
    to_state = models.CharField(max_length=12, choices=JobState.choices)
    note = models.TextField(blank=True)
    details = models.JSONField(default=dict)  # For assignments and changes: each field with its new value.
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class Looked(models.Model):
    """The frames of a video that a person has looked at, as ascending inclusive ranges [first, last]."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    spans = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "user"], name="looked_once_per_video_and_user")]


class ObjectLease(models.Model):
    """The right of one person, at one page, to draw on an object of a video until `expires` (leases.py)."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="object_leases")
    object_id = models.PositiveSmallIntegerField()
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    connection = models.CharField(max_length=40, blank=True)  # Empty for a script, which has no page.
    fence = models.PositiveIntegerField(default=0)  # It rises whenever the holder or the connection changes.
    expires = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "object_id"], name="lease_once_per_object")]
