"""Compares the copies of a job that several people annotated, and merges them by a vote on each pixel."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import combinations

import numpy as np
import structlog
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from webapp.annotation import changes
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.accepted_objects import accepted_objects
from webapp.annotation.codec import LabelMap, decode, encode
from webapp.annotation.head import head_of, hold, set_head
from webapp.annotation.masks import masks_of, ranges
from webapp.annotation.models import Head, Mask, Object, Origin, Round, RoundState
from webapp.annotation.notify import notify_scorer
from webapp.annotation.objects import locked_numbers
from webapp.annotation.rounds import add_version
from webapp.inference import runner
from webapp.jobs.models import Job
from webapp.quality.consensus_lease import CONSENSUS, Lost
from webapp.quality.models import Computing, Consensus
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.tasks.heartbeat import beating
from webapp.videos.models import Video

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
Packed = tuple[bytes, list[int]]  # A compressed mask (codec.py), and the ids of the objects in it.
Frames = Iterator[tuple[int, list[LabelMap]]]  # A frame, and its masks in all copies, uint8 [H, W].


def run(consensus_id: int, compute: Callable[[Consensus], None]) -> None:
    """Claim a consensus and call `compute` with it while heartbeats keep the lease. Does nothing if it is not free.

    If the storage is away, the task is postponed, or ended with an error after too long. OperationalError is raised
    again, and a lost lease is only logged. Any other exception of `compute` is logged, and an error is stored in the
    row of the consensus.
    """
    claimed = CONSENSUS.claim(consensus_id)
    if claimed is None:
        return
    try:
        with beating(partial(CONSENSUS.beat, claimed.pk, claimed.fence), BEAT_SECONDS, consensus=claimed.pk):
            compute(claimed)
    except Lost:
        log.warning("consensus_lost", consensus=consensus_id)
    except OperationalError:
        raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
    except StorageAway:
        if not CONSENSUS.postpone(claimed.pk, claimed.fence):
            with suppress(Lost):
                _end(claimed, error=AWAY_FOR_LONG)
    except Exception:
        log.exception("consensus_failed", consensus=consensus_id)
        with suppress(Lost):
            _end(claimed, error="The worker failed by a fault of the program; its log names it.")


def _end(claimed: Consensus, **columns: object) -> None:
    """Store the results `columns`, and that the computation has ended. Raises Lost if the lease is lost."""
    if not CONSENSUS.held(claimed.pk, claimed.fence).update(state=Computing.NOTHING, **columns):
        raise Lost


def agree(consensus: Consensus) -> None:
    """Store J and F between each two copies: means over those frames of the job in which either copy has an object."""
    jobs = _copies(consensus)
    sums: defaultdict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for _, masks in _frames(consensus.job, jobs):
        for a, b in combinations(range(len(jobs)), 2):
            numbers = sorted({*np.unique(masks[a]).tolist(), *np.unique(masks[b]).tolist()} - {0})
            if numbers:
                table = np.zeros(256, np.uint8)
                table[numbers] = range(1, len(numbers) + 1)
                j, f = runner.j_and_f(table[masks[a]], table[masks[b]], len(numbers))
                sums[a, b].append((float(j.mean()), float(f.mean())))
    pairs = []
    for (a, b), values in sums.items():
        j, f = (sum(column) / len(values) for column in zip(*values, strict=True))
        pairs.append({"a": jobs[a].pk, "b": jobs[b].pk, "j": round(j, 4), "f": round(f, 4)})
    _end(consensus, agreement=pairs)


def merge(consensus: Consensus) -> None:
    """Store a version in the video of the job, in which a pixel is of an object if more than half of the copies say so.

    Objects are the same if they have the same object id; one that only copies have is added. Accepted frames stay, and
    so do frames in which an object is accepted singly. Locked objects of the video keep their pixels and get no others.
    """
    jobs, video = _copies(consensus), consensus.job.video
    kept = _kept_frames(video)
    voted = {frame: _packed(vote(masks)) for frame, masks in _frames(consensus.job, jobs) if frame not in kept}
    with transaction.atomic():
        head = hold(video.pk)
        kept = _kept_frames(video)  # Frames may have been accepted while the masks were computed.
        voted = {frame: packed for frame, packed in voted.items() if frame not in kept}
        if locked := locked_numbers(video.pk):
            voted = _with_locked(video, head, voted, locked)
        if not voted:
            error = "No copy has a mask in a frame that is not accepted."
            _end(consensus, error=error)
            return
        made = _store(consensus, head, video, jobs, voted)
        _end(consensus, merged=made)  # Without the lease, nothing of this transaction is stored.


def _kept_frames(video: Video) -> set[int]:
    return accepted_frames(video.pk) | accepted_objects(video.pk, head_of(video.pk)).keys()


def _with_locked(video: Video, head: Head, voted: dict[int, Packed], locked: set[int]) -> dict[int, Packed]:
    """Return voted masks by frame, in which the objects `locked` have the pixels that they have at the head."""
    if not voted:
        return {}
    numbers = list(locked)
    found = {}
    standing = {mask.frame: mask.data for mask in masks_of(video.pk, head.round_id, min(voted), max(voted))}
    for frame, (data, _) in voted.items():
        labels = decode(data)
        labels[np.isin(labels, numbers)] = 0
        if frame in standing:
            before = decode(standing[frame])
            kept = np.isin(before, numbers)
            labels[kept] = before[kept]
        found[frame] = _packed(labels)
    return found


def vote(masks: Sequence[LabelMap]) -> LabelMap:
    """Return the label that more than half of the masks have at each pixel, and the background where none has."""
    stack = np.stack(masks)
    winner = np.zeros_like(masks[0])
    for number in np.unique(stack).tolist():
        if number:
            winner[2 * np.count_nonzero(stack == number, axis=0) > len(masks)] = number
    return winner


def _packed(labels: LabelMap) -> Packed:
    return encode(labels), [int(number) for number in np.unique(labels) if number]


def _copies(consensus: Consensus) -> list[Job]:
    return [copy.job for copy in consensus.copies.select_related("job__video").order_by("pk")]


def _frames(job: Job, jobs: Sequence[Job]) -> Frames:
    """Yield the frames of a job in which a copy has a mask. A copy without a mask there counts as empty."""
    blank = np.zeros((job.video.height, job.video.width), np.uint8)
    streams = [masks_of(copy.video_id, head_of(copy.video_id), job.first, job.last) for copy in jobs]
    waiting = [next(stream, None) for stream in streams]
    while any(waiting):
        frame = min(mask.frame for mask in waiting if mask is not None)
        at = [mask is not None and mask.frame == frame for mask in waiting]
        both = list(zip(streams, waiting, at, strict=True))
        yield frame, [mask.labels if mask is not None and there else blank for _, mask, there in both]
        waiting = [next(stream, None) if there else mask for stream, mask, there in both]


def _store(consensus: Consensus, head: Head, video: Video, jobs: Sequence[Job], voted: dict[int, Packed]) -> Round:
    """Store voted masks as a version that becomes the head, which the caller holds in a transaction."""
    author = consensus.created_by
    numbers = sorted({number for _, found in voted.values() for number in found})
    _add_missing(video, jobs, numbers)
    head.refresh_from_db()
    head.next_object_number = max([head.next_object_number, *(number + 1 for number in numbers)])
    head.save(update_fields=["next_object_number"])
    frames = sorted(voted)
    made = add_version(
        head,
        video,
        author,
        uuid.uuid4(),
        origin=Origin.IMPORTED,
        source=f"consensus of {len(jobs)} people",
        frame=frames[0],
        scribbles=[],
        span=[frames[0], frames[-1]],
        objects_changed=numbers,
        engine="",
        state=RoundState.DONE,
        progress_done=len(frames),
        progress_total=len(frames),
        frames=ranges(frames),
        started_at=Now(),
        finished_at=Now(),
    )
    made.refresh_from_db()
    sure = [1.0] * made.num_objects
    Mask.objects.bulk_create(
        [Mask(round=made, frame=frame, data=voted[frame][0], confidence=sure) for frame in frames], batch_size=200
    )
    changes.round_changed(made)
    set_head(head, made.pk, author)
    if video.truth_objects:
        notify_scorer(made.pk)
    return made


def _add_missing(video: Video, jobs: Sequence[Job], numbers: Sequence[int]) -> None:
    """Add the objects that only copies have, as they are in the first copy that has them, without absent spans."""
    there = set(Object.objects.filter(video=video).values_list("number", flat=True))
    for number in sorted(set(numbers) - there):
        instance = Object.objects.filter(video__in=[job.video_id for job in jobs], number=number).order_by("pk").first()
        if instance is not None:
            instance.pk, instance.video, instance.absent = None, video, []
            instance.save()
            changes.object_changed(instance)
