"""Copies videos into a project, with their objects, scribbles, rounds, masks, and accepted frames and objects.

A copy is an import whose source is another video: a worker makes it under the lease of imports, so it has progress, is
cancelled like any import, and another worker begins it again if the first one is lost. Jobs, pins and measured time
stay with the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.counters import masks_changed
from webapp.annotation.head import hold
from webapp.annotation.masks import line_of
from webapp.annotation.models import AcceptedFrame, AcceptedObject, Mask, Object, Round, Scribble
from webapp.annotation.notify import notify_scorer
from webapp.annotation.rounds import ACTIVE
from webapp.audit.entries import Thing, record
from webapp.overview.label_mapping import Given, label_mapping
from webapp.overview.moving import check_may_leave, check_room
from webapp.overview.removal import remove_work
from webapp.projects.members import lock_project
from webapp.projects.models import Project
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.tasks.heartbeat import beating
from webapp.tasks.sending import after_commit
from webapp.videos.copying import COPIED, copy_files
from webapp.videos.frame_hashes import copy_hashes
from webapp.videos.import_queue import IMPORTS, notify_import_worker
from webapp.videos.importing import Heartbeat, claim, end_import
from webapp.videos.models import Video, VideoState, became_ready
from webapp.videos.refusal import ImportCancelled
from webapp.videos.storage import VideoFiles, staging_of

log = structlog.get_logger(__name__)

BEAT_SECONDS = 5.0  # The time between two heartbeats; a single step may take longer than the lease allows.
CHUNK = 100  # The number of masks that are copied in one transaction.
# What a copied round does not take from the original: these belong to the row, or to the worker that computed it.
NOT_COPIED = {
    *("id", "video", "key", "base", "superseded_by"),
    *("fence", "attempts", "postponed", "heartbeat", "worker", "notified_at"),
}
# The columns of a video, besides `COPIED`, that a copy with its rounds gets from the original.
OF_WORK = ("rounds_made", "accepted_count", "worked_at", "worked_by_id", "to_fix", "truth_objects", "note")


@transaction.atomic
def copy_videos(*, by: User, videos: Sequence[Video], to: int, labels: Given) -> list[Video]:
    """Let workers copy ready videos into the project with the id `to`. `by` must be a manager of both projects.

    `labels` says which labels the objects get there (label_mapping.py). Raises NotFound, Forbidden, or Problem:
    "not_ready" (409), "quota" (409), "unknown_label".
    """
    target = check_may_leave(by, videos, to)
    check_room(target, videos, by)
    return [_begin(by, video, target, labels) for video in videos]


def _begin(by: User, source: Video, target: Project, labels: Given) -> Video:
    mapping = label_mapping([source.pk], target, labels)
    made = Video.objects.create(
        project=target, name=source.name, copy_of=source, copy_labels=list(mapping.items()), created_by=by
    )
    notify_import_worker(made.pk)
    thing = Thing("video", source.pk, source.name)
    record(by, "video.copy", thing, project_id=source.project_id, to=target.name)
    if target.pk != source.project_id:
        thing = Thing("video", made.pk, made.name)
        record(by, "video.copy", thing, project_id=target.pk, origin=source.project_id)
    return made


def run_copy(video_id: int) -> None:
    """Carry out a waiting copy of a video. Does nothing if another worker has claimed it, it has ended, or imports are
    paused.
    """
    video = claim(video_id)
    if video is None:
        return
    try:
        with beating(partial(IMPORTS.beat, video.pk, video.fence), BEAT_SECONDS, video=video.pk):
            remove_work(video.pk)  # A worker that was lost may have copied a part.
            if video.copy_of is None or video.copy_of.removing:
                end_import(video, VideoState.FAILED, "The video that was to be copied was deleted.")
                return
            _copy(video, video.copy_of)
    except ImportCancelled:
        _end(video, VideoState.CANCELLED)
    except OperationalError:
        raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
    except StorageAway:
        if not IMPORTS.postpone(video.pk, video.fence):
            _end(video, VideoState.FAILED, AWAY_FOR_LONG)
    except Exception:
        log.exception("copy_failed", video=video_id)
        _end(video, VideoState.FAILED, "The copy failed by a fault of the program; the worker's log names it.")
    finally:
        staging_of(video.pk, video.fence).remove()


def _end(video: Video, state: VideoState, error: str = "") -> None:
    """End a copy and remove its rows and files. Nothing happens if another worker makes the copy by now."""
    if end_import(video, state, error):
        remove_work(video.pk)
        after_commit(VideoFiles(video.pk).remove)  # The storage may be away.


def _keep_held(video: Video) -> None:
    """Lock the row of a copy, so that no other worker takes it before this transaction ends.

    Raises ImportCancelled if this worker no longer holds it.
    """
    held = IMPORTS.held(video.pk, video.fence).select_for_update(no_key=True)
    if held.values_list("pk", flat=True).first() is None:
        raise ImportCancelled


@dataclass
class _Copied:
    """What is copied of the source, as it was at one moment.

    `rounds` and `masks` map the ids of its rounds and of its accepted masks to the ids of their copies.
    """

    head: int | None
    next_numbers: tuple[int, int]
    sources: list[Round]
    accepted: list[AcceptedFrame]
    accepted_objects: list[AcceptedObject]
    work: dict[str, Any]
    rounds: dict[int, int] = field(default_factory=dict)
    masks: dict[int, int] = field(default_factory=dict)


def _copy(video: Video, source: Video) -> None:
    copied = _snapshot(video, source)
    total = Mask.objects.filter(round__in=[row.pk for row in copied.sources]).count()
    beat = Heartbeat(video, total)
    _copy_rounds(video, copied)
    done = 0
    for old, new in copied.rounds.items():
        for masks in _chunks(old):
            _copy_masks(video, new, masks, copied)
            done += len(masks)
            beat(done)
    put_in_place = copy_files(source, video, beat)
    beat(now=True)
    _finish(video, put_in_place, copied)


@transaction.atomic
def _snapshot(video: Video, source: Video) -> _Copied:
    """Read what is to be copied, and copy the objects. Rounds that have not ended, and all based on them, stay out."""
    lock_project(video.project_id)  # Its labels are neither deleted nor added by others while objects get them.
    head = hold(source.pk)
    _keep_held(video)
    # Numbers and quotas leave out the rounds that are older than their video: these count where they were made.
    Video.objects.filter(pk=video.pk).update(created_at=Now())
    kept: dict[int, Round] = {}
    for row in Round.objects.filter(video=source).exclude(state__in=ACTIVE).order_by("pk"):
        if row.base_id is None or row.base_id in kept:
            kept[row.pk] = row
    at = next((pk for pk in reversed(line_of(head.round_id)) if pk in kept), None)
    mapping = _mapping(video, source)
    for instance in Object.objects.filter(video=source):
        instance.pk, instance.video, instance.label_id = None, video, mapping.get(instance.label_id or 0)
        instance.save()
    accepted = list(AcceptedFrame.objects.filter(video=source, mask__round__in=kept))
    objects = AcceptedObject.objects.filter(instance__video=source, mask__round__in=kept).select_related("instance")
    source.refresh_from_db()
    work = {name: getattr(source, name) for name in (*COPIED, *OF_WORK)}
    return _Copied(
        at, (head.next_round_number, head.next_object_number), list(kept.values()), accepted, list(objects), work
    )


def _mapping(video: Video, source: Video) -> dict[int, int | None]:
    """Return, by the id of each label in the original, the label that its objects get in the copy.

    Labels may have changed while the copy waited, so this is decided when the copy is made.

    What was chosen for a label counts as long as the chosen label exists.
    """
    there = set(video.project.labels.values_list("pk", flat=True))
    chosen = {label: to for label, to in video.copy_labels or [] if to is None or to in there}
    return label_mapping([source.pk], video.project, chosen)


@transaction.atomic
def _copy_rounds(video: Video, copied: _Copied) -> None:
    _keep_held(video)
    columns = [column for column in Round._meta.concrete_fields if column.name not in NOT_COPIED]
    for row in copied.sources:
        values = {column.attname: getattr(row, column.attname) for column in columns}
        base = None if row.base_id is None else copied.rounds[row.base_id]
        made = Round.objects.create(video=video, key=uuid4(), base_id=base, **values)
        copied.rounds[row.pk] = made.pk
    drawn = Scribble.objects.filter(round__in=copied.rounds, deleted_at=None).order_by("pk")
    Scribble.objects.bulk_create(
        [
            Scribble(
                video=video,
                key=uuid4(),
                round_id=copied.rounds[row.round_id or 0],
                **{
                    name: getattr(row, name)
                    for name in ("frame", "object_id", "path", "kind", "positive", "author_id", "next_number")
                },
            )
            for row in drawn
        ],
        batch_size=500,
    )


def _chunks(round_id: int) -> Iterator[list[Mask]]:
    """Yield the masks of a round in parts, in the order of their ids."""
    after = 0
    while part := list(Mask.objects.filter(round=round_id, pk__gt=after).order_by("pk")[:CHUNK]):
        after = part[-1].pk  # It is read now, because whoever gets the part gives its masks other ids.
        yield part


@transaction.atomic
def _copy_masks(video: Video, round_id: int, masks: Sequence[Mask], copied: _Copied) -> None:
    _keep_held(video)
    wanted = {row.mask_id for row in copied.accepted} | {row.mask_id for row in copied.accepted_objects}
    accepted = {mask.frame: mask.pk for mask in masks if mask.pk in wanted}
    for mask in masks:
        mask.pk, mask.round_id = None, round_id
    Mask.objects.bulk_create(masks)
    # The ids are read from the database, because SQLite before 3.35 does not return those of rows stored together.
    made = Mask.objects.filter(round=round_id, frame__in=list(accepted)).values_list("frame", "pk")
    copied.masks.update({accepted[frame]: pk for frame, pk in made})


@transaction.atomic
def _finish(video: Video, put_in_place: Callable[[], None], copied: _Copied) -> None:
    """Move the files to their place, and mark the copy as ready.

    It stands at the round of the original, or at the newest one before it that had ended. The files are moved while
    the row is locked, so that they never replace those of another worker.
    """
    head = hold(video.pk)
    _keep_held(video)
    put_in_place()
    IMPORTS.held(video.pk, video.fence).update(
        state=VideoState.READY, progress_done=video.progress_total, **copied.work
    )
    copy_hashes(video.copy_of_id or 0, video.pk)
    head.round_id = None if copied.head is None else copied.rounds[copied.head]
    head.next_round_number, head.next_object_number = copied.next_numbers
    head.save()
    AcceptedFrame.objects.bulk_create(
        AcceptedFrame(video=video, frame=row.frame, mask_id=copied.masks[row.mask_id], author_id=row.author_id)
        for row in copied.accepted
    )
    own = {instance.number: instance for instance in Object.objects.filter(video=video)}
    AcceptedObject.objects.bulk_create(
        AcceptedObject(
            instance=own[row.instance.number],
            frame=row.frame,
            mask_id=copied.masks[row.mask_id],
            author_id=row.author_id,
        )
        for row in copied.accepted_objects
    )
    video.refresh_from_db()
    masks_changed(video.pk)  # The number of frames to fix may have been out of date where it was copied from.
    became_ready.send(Video, video=video)
    if video.truth_objects and head.round_id is not None:
        notify_scorer(head.round_id)
