"""Objects, scribbles, rounds and their masks. Nothing here is overwritten: undo moves the head, deletion is a date."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.tasks.lease import LeasedTask
from webapp.videos.models import Video


class Object(models.Model):
    """An instance to segment. `number` is its id in label maps, 1..254, and is never given to another object."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="instances")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=7)  # #rrggbb
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
    """An interaction and the propagation that follows it. A worker holds a lease on the row while it computes it."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    key = models.UUIDField(unique=True)  # idempotency key of the request that made it
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    frame = models.PositiveIntegerField()
    # In the order they were drawn, as the DAVIS challenge has them: [{"path": [[x, y], ...], "object_id": n}, ...]
    scribbles = models.JSONField()
    num_objects = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=40)
    weights = models.CharField(max_length=80, blank=True)  # checksum prefix or name of the weights that made it
    base = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, related_name="branches")
    state = models.CharField(max_length=12, choices=RoundState.choices, default=RoundState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    # A newer round came while this one ran: it stops at the next frame, and what it stored stays.
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    worker = models.CharField(max_length=120, blank=True)  # the one that claimed it last
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    frames = models.JSONField(default=list)  # inclusive ranges of frames it stored; written when it ends
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
    """The label map of one frame, as one round made it. `id` is the sequence number of the socket's hints."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="masks")
    frame = models.PositiveIntegerField()
    data = models.BinaryField()  # annotation/codec.py: the very bytes that the socket carries
    confidence = models.JSONField(default=list)  # per object, 0..1
    engine_state = models.BinaryField(null=True)  # what the engine attached, for rebuilding its session

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "frame"], name="mask_once_per_round_and_frame")]
        # Followers ask for the newest masks of a round many times a second.
        indexes = [models.Index(fields=["round", "id"])]


class Scribble(models.Model):
    """A path that a person drew on a frame, stored when the pen is lifted. Without a `round` it waits for one."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scribbles")
    key = models.UUIDField(unique=True)  # made by the browser: a scribble that is sent twice is stored once
    frame = models.PositiveIntegerField()
    object_id = models.PositiveSmallIntegerField()  # 0 is the background
    path = models.JSONField()  # [[x, y], ...] in 0..1
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    round = models.ForeignKey(Round, on_delete=models.SET_NULL, null=True, related_name="drawn_scribbles")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]


class Head(models.Model):
    """Which round a video stands at. The mask of a frame is that of the newest round on the head's line that has it."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, related_name="head")
    round = models.ForeignKey(Round, on_delete=models.RESTRICT, null=True, related_name="+")
    next_round_number = models.PositiveIntegerField(default=1)
    next_object_number = models.PositiveSmallIntegerField(default=1)


class AcceptedFrame(models.Model):
    """A frame whose mask a person accepted: no round changes it, every engine takes it as given."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="accepted_frames")
    frame = models.PositiveIntegerField()
    mask = models.ForeignKey(Mask, on_delete=models.RESTRICT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "frame"], name="accepted_once_per_frame")]


class RoundScore(models.Model):
    """How good the masks at a round are, against the ground truth of its video. Written once the round has ended."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="score")
    j = models.FloatField()  # means over the objects that were found in the truth
    f = models.FloatField()
    objects_scored = models.JSONField()  # [{"object", "truth", "j", "f"}]
    frames = models.JSONField()  # frame -> J&F, for the frames that have truth
    created_at = models.DateTimeField(auto_now_add=True)


class Receipt(models.Model):
    """A message of a browser that took effect: sent again, it is answered with the same result and does nothing."""

    key = models.UUIDField(unique=True)  # made by the browser
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    result = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)


class Change(models.Model):
    """The log of a video: what its sockets are told. `id` is the sequence number after which a browser asks again."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="changes")
    message = models.JSONField()  # a server message of live/protocol.py, without its seq
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
    format = models.CharField(max_length=40)  # the name of a format in export/formats; a new one needs no migration
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
