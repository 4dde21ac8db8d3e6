"""Videos, and the uploads from which they are imported."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils import timezone

from webapp.projects.deletable import Deletable
from webapp.projects.models import Project
from webapp.tasks.lease import LeasedTask

NAME_LENGTH, PART_LENGTH = 200, 400

# Sent with `video` in the transaction in which an import ends and the video becomes ready.
became_ready = Signal()


class VideoState(models.TextChoices):
    IMPORTING = "importing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


class VideoRows(models.QuerySet["Video"]):
    """Query sets of videos. Each update also stores when it was made, by which lists find what has changed."""

    def update(self, **columns: Any) -> int:
        return super().update(**{"changed_at": Now(), **columns})


class Video(LeasedTask, Deletable):
    """A sequence of frames. A worker holds a lease on the row while it imports the video.

    The stored files are in the folder videos/<id>/ (videos/storage.py); rows hold no paths.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="videos")
    name = models.CharField(max_length=NAME_LENGTH)
    state = models.CharField(max_length=12, choices=VideoState.choices, default=VideoState.IMPORTING)
    error = models.TextField(blank=True)  # A sentence for the user when `state` is failed.
    # What a user should know about a ready video, such as damaged frames that were left out.
    note = models.TextField(blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    frame_count = models.PositiveIntegerField(default=0)
    fps = models.FloatField(default=24.0)  # Used only for playing; the index of a frame is never computed from a time.
    # The width of a pixel divided by its height. Frames and masks are stored as they are coded; players, the page and
    # exported videos stretch them by this.
    pixel_aspect = models.FloatField(default=1.0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    # The first frame of each new scene, ascending. The import finds them, and people move them.
    cuts = models.JSONField(default=list)
    truth_frames = models.JSONField(default=list)  # The indexes of frames that have a ground truth mask.
    truth_objects = models.PositiveIntegerField(default=0)  # The highest object id in the ground truth.
    # The frames that the import has written or, for a copy with its rounds, the masks that are copied.
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)  # Estimated; 0 if unknown.
    cancel_requested = models.BooleanField(default=False)
    upload = models.ForeignKey("Upload", on_delete=models.SET_NULL, null=True, related_name="videos")
    # The part of the uploaded file that this video is; empty until a worker has looked at the file.
    part = models.CharField(max_length=PART_LENGTH, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # The video that this one is a copy of (videos/copying.py). Annotators see only the copies in which they have a job.
    copy_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="copies")
    # For a copy with its rounds (overview/copying.py): which label the objects get, as [[before, after], ...].
    copy_labels = models.JSONField(null=True)
    is_copy = models.BooleanField(default=False)  # It stays true when the original is deleted.
    # The overview of a project lists an archived video only if archived ones are asked for. The progress of the project
    # and the queues of jobs leave it out; other calls do not differ.
    archived_at = models.DateTimeField(null=True)
    # What lists show of the rounds and the accepted frames, counted when these change (annotation/counters.py).
    rounds_made = models.PositiveIntegerField(default=0)
    is_running = models.BooleanField(default=False)  # True while a round waits or runs.
    accepted_count = models.PositiveIntegerField(default=0)
    # How many frames are to be fixed; None: not counted yet. A worker counts them when `to_fix_stale` is set
    # (annotation/to_fix.py).
    to_fix = models.PositiveIntegerField(null=True)
    to_fix_stale = models.BooleanField(default=False)
    # When somebody last made a version, or accepted or released frames or objects.
    worked_at = models.DateTimeField(null=True)
    worked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now(), editable=False)  # By the clock of the database.

    objects = VideoRows.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["project", "changed_at"])]

    def save(self, *args: Any, **options: Any) -> None:
        new = self._state.adding
        super().save(*args, **options)
        if not new:
            Video.objects.filter(pk=self.pk).update()  # This sets `changed_at`.


class FrameHashes(models.Model):
    """The hashes of the frames of a video, one after the other (videos/frame_hashes.py)."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="frame_hashes")
    data = models.BinaryField()


class Upload(models.Model):
    """A file that arrives in chunks. `received` is the offset at which a broken upload continues.

    Its file is removed when all imports that read it, of videos or of masks, have ended.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now)  # An upload that is not continued is removed after a while.


class FetchState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Fetch(LeasedTask):
    """The task of getting a file that nobody uploads: from the import folder, a bucket or a URL.

    A worker stores the file as an upload, which then becomes a video or is imported as masks. It holds a lease on the
    row meanwhile.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="fetches")
    source = models.CharField(max_length=1000)  # An address, or a path below the import folder.
    as_video = models.BooleanField(default=True)  # False: the upload is left for an import of masks.
    state = models.CharField(max_length=12, choices=FetchState.choices, default=FetchState.QUEUED)
    error = models.TextField(blank=True)
    progress_done = models.PositiveBigIntegerField(default=0)  # in bytes
    progress_total = models.PositiveBigIntegerField(default=0)  # in bytes; 0 if unknown
    cancel_requested = models.BooleanField(default=False)
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, related_name="fetches")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
