"""Stores the masks of a file: as a version of each video that becomes its head, or as ground truth."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.db.models.functions import Now

from segmentation.formats.annotated_video import AnnotatedObject
from segmentation.formats.label_png import encode_labels
from segmentation.types import IGNORE, LabelMap
from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.accepted_objects import accepted_objects
from webapp.annotation.codec import decode, encode
from webapp.annotation.head import hold, set_head
from webapp.annotation.imports.matching import Match
from webapp.annotation.imports.objects import Labels, ObjectPlan, make_objects, plan_objects
from webapp.annotation.imports.reading import RECORD, ReadMasks, stored_masks
from webapp.annotation.masks import masks_of, ranges
from webapp.annotation.models import Head, Mask, Object, Origin, Round, RoundScore, RoundState
from webapp.annotation.notify import notify_scorer
from webapp.annotation.objects import locked_numbers
from webapp.annotation.rounds import add_version
from webapp.long_transactions import allow_silence
from webapp.projects.models import Label
from webapp.storage.files import storage
from webapp.videos.models import Video
from webapp.videos.refusal import Refused
from webapp.videos.storage import VideoFiles

CHUNK = 200  # The number of masks that are inserted at once.


class ChangedMeanwhile(Exception):
    """The video has other masks or objects than when its new masks were computed."""


@dataclass(frozen=True)
class Base:
    """The state of a video from which its new masks are computed. The new masks are not stored if the state has changed
    before they could be.
    """

    head: int | None
    next_number: int
    objects: tuple[tuple[int, str, int | None, bool], ...]
    accepted: frozenset[int]
    accepted_objects: Mapping[int, Mapping[int, int]]  # As `accepted_objects` returns them.


@dataclass(frozen=True)
class Placed:
    """The computed masks of one video: a file of masks (reading.py) with the object ids of the video."""

    match: Match
    base: Base
    plan: ObjectPlan
    path: Path
    frames: list[int]
    skipped: int  # The number of accepted frames, which keep their masks.
    confidence: dict[int, list[float]] = field(default_factory=dict)  # By frame.


def with_found_ids(match: Match, read: ReadMasks) -> list[AnnotatedObject]:
    """Return the objects that an imported file lists for a video, and one for each further id in the file's masks."""
    known = {each.id for each in match.found.objects}
    more = [AnnotatedObject(number, "") for number in sorted(read.ids - known)]
    return sorted([*match.found.objects, *more], key=lambda each: each.id)


def base_of(video: Video) -> Base:
    head = Head.objects.filter(video=video).first()
    rows = Object.objects.filter(video=video, deleted_at=None).values_list("number", "name", "label_id", "locked")
    at = head.round_id if head else None
    return Base(
        at,
        head.next_object_number if head else 1,
        tuple(rows.order_by("number")),
        frozenset(accepted_frames(video.pk)),
        accepted_objects(video.pk, at),
    )


def compute(match: Match, read: ReadMasks, path: Path, labels: Labels, after_each: Callable[[], None]) -> Placed:
    """Compute the new masks of a video from those in the file at `path`, and write them beside it.

    The objects of the file get the pixels that the file gives them, and the other objects of the video keep theirs
    elsewhere. Locked objects, and objects that are accepted singly in a frame, keep all their pixels. Accepted frames
    are left out.
    """
    video, base = match.video, base_of(match.video)
    there = list(Object.objects.filter(video=video, deleted_at=None).select_related("label").order_by("number"))
    plan = plan_objects(video, there, base.next_number, with_found_ids(match, read), labels)
    table = np.zeros(256, np.uint8)
    for number, own_number in plan.numbers.items():
        table[number] = own_number
    placed = Placed(match, base, plan, path.with_name(f"{path.name}.placed"), [], len(base.accepted & set(read.frames)))
    standing = _Standing(video, base.head)
    own, locked = list(plan.numbers.values()), list(locked_numbers(video.pk))
    count = base.next_number - 1 + len(plan.new)
    with placed.path.open("wb") as file:
        for frame, data in _in_order(path):
            after_each()
            if frame in base.accepted:
                continue
            before, confidence = standing.at(frame)
            kept = [*locked, *base.accepted_objects.get(frame, ())]
            labels_ = _merged(table[decode(data)], before, [number for number in own if number not in kept], kept)
            encoded = encode(labels_)
            file.write(RECORD.pack(frame, len(encoded)) + encoded)
            placed.frames.append(frame)
            full = [*confidence, *[1.0] * (count - len(confidence))]
            placed.confidence[frame] = [1.0 if at in own else value for at, value in enumerate(full, 1)]
    return placed


def _in_order(path: Path) -> list[tuple[int, bytes]]:
    return sorted(stored_masks(path))


def _merged(new: LabelMap, before: LabelMap | None, own: list[int], kept: list[int]) -> LabelMap:
    """Return the mask of a frame after an import: the pixels of the imported objects `own` come from `new`.

    All other pixels stay as in `before`, and pixels of the objects `kept` do not change. With `before` None the frame
    had no mask, and the result is `new`.
    """
    if before is None:
        return new
    new = np.where(np.isin(new, own), new, 0)
    labels = before.copy()
    labels[np.isin(labels, own)] = 0
    inside = (new > 0) & ~np.isin(before, kept)
    labels[inside] = new[inside]
    return labels


class _Standing:
    """The masks that a video has, read in ascending order of frames."""

    def __init__(self, video: Video, head: int | None) -> None:
        self._masks: Iterator = masks_of(video.pk, head)
        self._next = next(self._masks, None)

    def at(self, frame: int) -> tuple[LabelMap | None, list[float]]:
        """Return the mask of a frame and its confidences; (None, []) if it has none."""
        while self._next is not None and self._next.frame < frame:
            self._next = next(self._masks, None)
        if self._next is None or self._next.frame != frame:
            return None, []
        confidence = Mask.objects.values_list("confidence", flat=True).get(pk=self._next.mask_id)
        return self._next.labels, list(confidence)


def store_version(placed: Placed, author: User, source: str, labels: Labels, known: dict[str, Label]) -> Round:
    """Store the computed masks of a video as a version that becomes its head. The caller has begun a transaction.

    `labels` maps the labels in the file to names of labels of the project, and `known` has the project's labels by
    their names in lower case.

    Raises ChangedMeanwhile if the video is not as it was when the masks were computed.
    """
    video = placed.match.video
    head = hold(video.pk)
    if base_of(video) != placed.base:
        raise ChangedMeanwhile
    make_objects(video, author, placed.plan, labels, known)
    head.refresh_from_db()
    made = add_version(
        head,
        video,
        author,
        uuid.uuid4(),
        origin=Origin.IMPORTED,
        source=source,
        frame=placed.frames[0],
        scribbles=[],
        span=[placed.frames[0], placed.frames[-1]],
        objects_changed=sorted(placed.plan.numbers.values()),
        engine="",
        state=RoundState.DONE,
        progress_done=len(placed.frames),
        progress_total=len(placed.frames),
        frames=ranges(placed.frames),
        started_at=Now(),
        finished_at=Now(),
    )
    made.refresh_from_db()
    batch: list[Mask] = []
    for frame, data in stored_masks(placed.path):
        batch.append(Mask(round=made, frame=frame, data=data, confidence=placed.confidence[frame]))
        if len(batch) == CHUNK:
            Mask.objects.bulk_create(batch)
            batch = []
    Mask.objects.bulk_create(batch)
    changes.round_changed(made)
    set_head(head, made.pk, author)
    if video.truth_objects:
        notify_scorer(made.pk)
    return made


# --- ground truth -----------------------------------------------------------------------------------------------------


def write_truth(path: Path, folder: Path, after_each: Callable[[], None]) -> int:
    """Write the masks in a file of masks as the ground truth PNG files of a video. Return the highest object id."""
    folder.mkdir(parents=True)
    highest = 0
    for frame, data in stored_masks(path):
        after_each()
        labels = decode(data)
        highest = max(highest, int(labels[labels != IGNORE].max(initial=0)))
        (folder / f"{frame:06d}.png").write_bytes(encode_labels(labels))
    return highest


def replace_truth(video: Video, folder: Path, frames: list[int], objects: int) -> Callable[[], None]:
    """Replace the ground truth of a video by the files in `folder`. The caller has begun a transaction.

    Returns a function that puts the earlier files back, for a caller whose transaction fails. Raises Refused if the
    masks show no object.
    """
    if not frames or not objects:
        raise Refused("no_objects", f"The masks for {video.name} show no object, so they are no ground truth.")
    own = f"{VideoFiles(video.pk).folder}/truth"
    allow_silence()
    take_back = storage().exchange_folder(folder, own, _old_truth(video, folder))
    Video.objects.filter(pk=video.pk).update(truth_frames=sorted(frames), truth_objects=objects)
    RoundScore.objects.filter(round__video=video).delete()
    for pk in Round.objects.filter(video=video, state=RoundState.DONE).values_list("pk", flat=True):
        notify_scorer(pk)
    return take_back


def forget_old_truth(video: Video, folder: Path) -> None:
    """Remove the ground truth that `replace_truth` has put aside, once its transaction has committed."""
    storage().remove_folder(_old_truth(video, folder))


def _old_truth(video: Video, folder: Path) -> str:
    return f"{VideoFiles(video.pk).folder}/truth-before-{folder.name}"
