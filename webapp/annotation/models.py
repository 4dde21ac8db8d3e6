"""Objects, scribbles, rounds and their masks.

Nothing is overwritten: undo only moves the head (the round that the video stands at), and a deleted object keeps its
row with the date of the deletion.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.tasks.lease import LeasedTask
from webapp.videos.models import Video


class Object(models.Model):
    """An instance to segment. `number` is its id in label maps, 1..254, which no other object of the
    video ever gets.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="instances")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=7)  # Written as #rrggbb.
    label = models.ForeignKey("projects.Label", on_delete=models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["video", "number"], name="object_number_once_per_video")]


class RoundState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class Round(LeasedTask):
    """What a person drew on one frame (the interaction), and the masks that an engine computed from it.

    A worker holds a lease on the row while it computes the round.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    key = models.UUIDField(unique=True)  # The idempotency key of the request that made the round.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    frame = models.PositiveIntegerField()
    # In the order they were drawn, in the format of the DAVIS challenge: [{"path": [[x, y], ...], "object_id": n}, ...]
    scribbles = models.JSONField()
    num_objects = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=40)
    weights = models.CharField(max_length=80, blank=True)  # The checksum prefix or name of the weights that were used.
    base = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, related_name="branches")
    state = models.CharField(max_length=12, choices=RoundState.choices, default=RoundState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    # A newer round was made while this one ran: this one stops at the next frame, and the masks that it stored stay.
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    worker = models.CharField(max_length=120, blank=True)  # The name of the worker that claimed it last.
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    # Inclusive ranges of the frames that it stored masks of; written when it ends.
    frames = models.JSONField(default=list)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["video", "number"], name="round_number_once_per_video")]
        indexes = [models.Index(fields=["state", "heartbeat"])]

    @property
    def ended(self) -> bool:
        return self.state not in (RoundState.QUEUED, RoundState.RUNNING)


class Mask(models.Model):
    """The label map of one frame, as one round made it.

    `id` is also the sequence number by which a socket tells its page which masks are new.
    """

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="masks")
    frame = models.PositiveIntegerField()
    data = models.BinaryField()  # Encoded by annotation/codec.py; the socket sends the same bytes.
    confidence = models.JSONField(default=list)  # For each object, 0..1.
    engine_state = models.BinaryField(null=True)  # What the engine attached, so that its session can be rebuilt.

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "frame"], name="mask_once_per_round_and_frame")]
        # Followers (live/follower.py) ask for the newest masks of a round many times a second.
        indexes = [models.Index(fields=["round", "id"])]


class Scribble(models.Model):
    """A path that a person drew on a frame, stored when the pen is lifted. With `round` None it waits for a round."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scribbles")
    key = models.UUIDField(unique=True)  # Made by the browser, so that a scribble that is sent twice is stored once.
    frame = models.PositiveIntegerField()
    object_id = models.PositiveSmallIntegerField()  # 0 is the background.
    path = models.JSONField()  # A list [[x, y], ...] with coordinates in 0..1.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    round = models.ForeignKey(Round, on_delete=models.SET_NULL, null=True, related_name="drawn_scribbles")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]


class Head(models.Model):
    """The round that a video stands at; undo moves it.

    The mask of a frame is from the newest round that has one, among the head and the rounds that it builds on.
    """

    video = models.OneToOneField(Video, on_delete=models.CASCADE, related_name="head")
    round = models.ForeignKey(Round, on_delete=models.RESTRICT, null=True, related_name="+")
    next_round_number = models.PositiveIntegerField(default=1)
    next_object_number = models.PositiveSmallIntegerField(default=1)


class AcceptedFrame(models.Model):
    """A frame whose mask a person accepted. No round changes it, and every engine keeps it as given."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="accepted_frames")
    frame = models.PositiveIntegerField()
    mask = models.ForeignKey(Mask, on_delete=models.RESTRICT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "frame"], name="accepted_once_per_frame")]


class RoundScore(models.Model):
    """How good the masks at a round are, measured against the ground truth of the video.

    Written once the round has ended.
    """

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="score")
    j = models.FloatField()  # `j` and `f` are means over the objects that were found in the ground truth.
    f = models.FloatField()
    objects_scored = models.JSONField()  # A list of {"object", "truth", "j", "f"}.
    frames = models.JSONField()  # J&F by frame, for the frames that have ground truth.
    created_at = models.DateTimeField(auto_now_add=True)


class Receipt(models.Model):
    """The result of a message that took effect.

    If a browser sends it again, it gets the same answer and nothing is done.
    """

    key = models.UUIDField(unique=True)  # Made by the browser.
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    result = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)


class Change(models.Model):
    """A row of the change log of a video: a message for its sockets.

    `id` is the sequence number: after a break, a page asks for the rows after the last id that it has.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="changes")
    message = models.JSONField()  # A message of the server (live/protocol.py), without its `seq`.
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["video", "id"])]


class ExportState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Export(LeasedTask):
    """A file of masks below HOME/exports. A worker holds a lease on the row while it writes the file."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="exports")
    round = models.ForeignKey(Round, on_delete=models.RESTRICT, null=True, related_name="+")
    format = models.CharField(max_length=40)  # The name of a format in export/formats.
    state = models.CharField(max_length=12, choices=ExportState.choices, default=ExportState.QUEUED)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
