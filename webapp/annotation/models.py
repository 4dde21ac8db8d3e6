"""The database tables of annotation: objects, scribbles, rounds and their masks, pins, exports, imports, and more.

Undo deletes no masks: it moves the head (the round that the video stands at). A deleted object keeps its row, with the
time of the deletion.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.projects.deletable import Deletable
from webapp.tasks.lease import LeasedTask
from webapp.videos.models import Video


class Object(models.Model):
    """A thing to segment in one video. `number` is its object id, 1..254, which no other object of the video gets."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="instances")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=7)  # Written as #rrggbb.
    label = models.ForeignKey("projects.Label", on_delete=models.SET_NULL, null=True, related_name="instances")
    position = models.PositiveIntegerField(default=0)  # The place in the list of objects; ties are listed by object id.
    locked = models.BooleanField(default=False)  # No engine changes its masks; painting over it with "all" does.
    # Inclusive ranges [first, last] of frames in which the object is not visible, ascending and without overlaps.
    absent = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "number"]
        constraints = [models.UniqueConstraint(fields=["video", "number"], name="object_number_once_per_video")]
        indexes = [models.Index(fields=["video", "label"])]


class RoundState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class Origin(models.TextChoices):
    """Where the masks of a version come from."""

    ROUND = "round"  # An engine computed them from what a person drew.
    PAINTED = "painted"  # A person painted the mask of one object in one frame.
    EDITED = "edited"  # A person changed masks of a span of frames at once; `Round.edit` says how.
    IMPORTED = "imported"  # They come from a file, or from a consensus of several people.


class Direction(models.TextChoices):
    """The direction in which a round computes masks, starting from the frames that were drawn on."""

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"


class Round(LeasedTask):
    """A version of the masks of a video: what a person did, and the masks that resulted from it.

    Usually a person drew on frames (the interaction) and an engine computed masks; `origin` names the other cases. A
    worker holds a lease on the row while it computes the version. Painted and imported versions are complete when they
    are created.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    key = models.UUIDField(unique=True)  # The idempotency key of the request that made the round.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=12, choices=Origin.choices, default=Origin.ROUND)
    frame = models.PositiveIntegerField()  # The first frame of `drawn`, or of an import.
    # In the order they were drawn: [{"path": [[x, y], ...], "object_id": n, "frame": f, "kind": k, "positive": p}, ...]
    # `path` and `object_id` are as in the DAVIS challenge; `kind` and `positive` are those of Scribble. A scribble may
    # also have "keeps": the ids of the objects that were painted or edited in the frame after it was drawn.
    scribbles = models.JSONField()
    started_from = models.JSONField(default=list)  # Frames without scribbles, from whose masks at the base it starts.
    span = models.JSONField(null=True)  # [first, last]: no frame outside of it gets a mask. None: the whole video.
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.BOTH)
    objects_changed = models.JSONField(null=True)  # The ids of the objects that may change. None: all of them.
    across_cuts = models.BooleanField(default=False)  # True if the round may cross scene cuts.
    edit = models.JSONField(null=True)  # For an edited version: {"op", "objects", "first", "last", "source", "into"}.
    # For a painted version: the keys of the scribbles that belong to it, because the mask painted over showed them.
    scribbles_taken = models.JSONField(null=True)
    source = models.CharField(max_length=200, blank=True)  # Of an imported version: the file, or the consensus.
    num_objects = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=40)  # Empty for a version that no engine made.
    weights = models.CharField(max_length=80, blank=True)  # The first digits of the checksums of the weights.
    base = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, related_name="branches")
    state = models.CharField(max_length=12, choices=RoundState.choices, default=RoundState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    # The newer round that superseded this one. If this one ran, it stops at the next frame and keeps its masks.
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    worker = models.CharField(max_length=120, blank=True)  # The name of the worker that claimed it last.
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    # Inclusive ranges of the frames for which the round stored masks; written when it ends.
    frames = models.JSONField(default=list)
    human_seconds = models.FloatField(default=0)  # How long people had worked on the video when the version was made.
    pixels = models.PositiveIntegerField(default=0)  # For a painted version: the pixels that it changed.
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["video", "number"], name="round_number_once_per_video")]
        indexes = [models.Index(fields=["state", "heartbeat"]), models.Index(fields=["video", "author"])]

    @property
    def ended(self) -> bool:
        return self.state not in (RoundState.QUEUED, RoundState.RUNNING)

    @property
    def drawn(self) -> list[int]:
        """The frames that were drawn on or painted, and those of `started_from`, ascending. An edit has its first and
        last frame, an import its first.
        """
        if self.edit is not None:
            return sorted({self.edit["first"], self.edit["last"]})
        return sorted({scribble["frame"] for scribble in self.scribbles} | {self.frame, *self.started_from})


class Mask(models.Model):
    """The label map of one frame, as one round made it.

    `id` is also the sequence number by which a socket tells its page which masks are new.
    """

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="masks")
    frame = models.PositiveIntegerField()
    data = models.BinaryField()  # Encoded by annotation/codec.py; the socket sends the same bytes.
    confidence = models.JSONField(default=list)  # For each object, 0..1.
    engine_state = models.BinaryField(null=True)  # Bytes from the engine, with which a session can be rebuilt.

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "frame"], name="mask_once_per_round_and_frame")]
        # Followers (live/follower.py) ask for the newest masks of a round many times a second.
        indexes = [models.Index(fields=["round", "id"])]


class ScribbleKind(models.TextChoices):
    """The kind of a scribble, which tells what its points are."""

    SCRIBBLE = "scribble"  # A path on the object or, with the object id 0, on the background.
    CLICK = "click"  # One point on the object, or with `positive` False a point that does not belong to it.
    BOX = "box"  # Two opposite corners of a box around the object.


class Scribble(models.Model):
    """A path, a click or a box that a person drew on a frame, stored when the pen is lifted.

    With `round` None it waits for a round, unless it was deleted.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scribbles")
    key = models.UUIDField(unique=True)  # Made by the sender, so that a scribble that is sent twice is stored once.
    frame = models.PositiveIntegerField()
    object_id = models.PositiveSmallIntegerField()  # 0 is the background.
    path = models.JSONField()  # A list [[x, y], ...] with coordinates in 0..1.
    kind = models.CharField(max_length=8, choices=ScribbleKind.choices, default=ScribbleKind.SCRIBBLE)
    positive = models.BooleanField(default=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    round = models.ForeignKey(Round, on_delete=models.SET_NULL, null=True, related_name="drawn_scribbles")
    next_number = models.PositiveIntegerField(null=True)  # The number of the video's next version when it was drawn.
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["video", "author"])]


class Head(models.Model):
    """The round that a video stands at. Undo moves the head. masks.py says which mask a frame then has."""

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


class AcceptedObject(models.Model):
    """An object that a person accepted singly in a frame: later versions keep the pixels that it has in `mask`.

    It counts while the round of `mask` is on the line of the head (accepted_objects.py).
    """

    instance = models.ForeignKey(Object, on_delete=models.CASCADE, related_name="accepted")
    frame = models.PositiveIntegerField()
    mask = models.ForeignKey(Mask, on_delete=models.RESTRICT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "frame"], name="object_accepted_once_per_frame")]


class Pin(models.Model):
    """A comment on a frame, with a place and an object if it has them. `resolved_at` None: it is open."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="pins")
    job = models.ForeignKey("jobs.Job", on_delete=models.SET_NULL, null=True, related_name="pins")
    frame = models.PositiveIntegerField()
    last = models.PositiveIntegerField(null=True)  # The last frame that it is about. None: it is about `frame` alone.
    object_id = models.PositiveSmallIntegerField(null=True)
    x = models.FloatField(null=True)  # In 0..1, as `y`.
    y = models.FloatField(null=True)
    reason = models.CharField(max_length=60, blank=True)  # Empty, or a reason that the project had then.
    text = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["frame", "id"]


class PinReply(models.Model):
    pin = models.ForeignKey(Pin, on_delete=models.CASCADE, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class HumanTime(models.Model):
    """How long a person worked on an object of a video. Pauses of more than 30 s without playback are left out.

    The page measures it. `object_id` 0 is work on the video while no object was selected.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="human_times")
    object_id = models.PositiveSmallIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField(null=True)  # In UTC. None for a row from before days were recorded.
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["video", "object_id", "author", "day"], name="human_time_once_per_object_author_and_day"
            )
        ]


class Preview(models.Model):
    """A page's request for the mask that a frame would get if a round used the author's waiting scribbles and `click`.

    A worker writes the answer into the row, and the web process deletes the row. No version is made of it.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    frame = models.PositiveIntegerField()
    engine = models.CharField(max_length=40)
    click = models.JSONField(null=True)  # A click that is not stored: {"object", "point", "positive"}.
    data = models.BinaryField(null=True)  # The answer: a container (codec.py), empty if there is nothing to show.
    created_at = models.DateTimeField(db_default=Now(), editable=False)


class RoundScore(models.Model):
    """How well the masks of a video agree with its ground truth at the end of a round."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="score")
    j = models.FloatField()  # `j` and `f` are means over `cells`.
    f = models.FloatField()
    objects_scored = models.JSONField()  # A list of {"object", "truth", "j", "f"}.
    cells = models.JSONField(default=list)  # [frame, object, J, F] for each frame and object with ground truth.
    frames = models.JSONField()  # J&F by frame, for the frames that have ground truth.
    created_at = models.DateTimeField(auto_now_add=True)


class Receipt(models.Model):
    """The result of a message that took effect.

    If the sender, a page or a script, sends the message again, it gets the same answer and nothing is done.
    """

    key = models.UUIDField(unique=True)  # Made by the sender.
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


class Export(LeasedTask, Deletable):
    """An export of masks as a file. A worker holds a lease on the row while it writes the file.

    An export of one video has the masks of `video` at `round`. An export of a project can have several videos: then
    `video` is None, and `rounds` is [[video id, round id], ...] with the head of each video at the time of the request.
    """

    video = models.ForeignKey(Video, on_delete=models.CASCADE, null=True, related_name="exports")
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, null=True, related_name="exports")
    rounds = models.JSONField(default=list)
    round = models.ForeignKey(Round, on_delete=models.RESTRICT, null=True, related_name="+")
    format = models.CharField(max_length=40)  # The name of a format in export/formats.
    options = models.JSONField(default=dict)  # What a person chose (export/options.py), without defaults.
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


class MaskImportState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    ASKING = "asking"  # A person has to say what the labels in the file are in the project.
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class MaskImport(LeasedTask):
    """Masks that a person brings in from a file: as versions that can be edited, or as ground truth.

    A worker holds a lease on the row while it reads the file. What it brings in is stored in one transaction.
    """

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="mask_imports")
    # The video that the masks are for. None: videos of the project are found by their names in the file.
    video = models.ForeignKey(Video, on_delete=models.CASCADE, null=True, related_name="mask_imports")
    upload = models.ForeignKey("videos.Upload", on_delete=models.SET_NULL, null=True, related_name="mask_imports")
    name = models.CharField(max_length=200)  # The name of the file.
    ground_truth = models.BooleanField(default=False)
    # What a person said: the name of a label of the project, or None, for labels in the file.
    labels = models.JSONField(default=dict)
    other_labels = models.CharField(max_length=8, default="ask")  # For labels not in `labels`: ask, make or drop.
    unknown_labels = models.JSONField(default=list)  # The labels that it asks for.
    format = models.CharField(max_length=40, blank=True)  # The name of the format that was found.
    state = models.CharField(max_length=12, choices=MaskImportState.choices, default=MaskImportState.QUEUED)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    note = models.TextField(blank=True)  # What a person should know about a complete import.
    # What was brought in: [{"video", "name", "round", "frames", "objects"}, ...] with the ids of video and round (None
    # for ground truth) and the numbers of frames and objects.
    result = models.JSONField(default=list)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
