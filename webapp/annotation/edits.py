"""Edits of a span: clear, copy, merge, swap, split and interpolate masks of many frames at once.

An edit is stored as a version, as a round is. It waits for the rounds before it, and a worker carries it out without an
engine (webapp/inference/edits.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, assert_never
from uuid import UUID

import numpy as np
from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.absence import absent_in, absent_spans, without_absent
from webapp.annotation.accepted import accepted_frames, all_accepted
from webapp.annotation.accepted_objects import accepted_objects
from webapp.annotation.bounds import check_frame, check_span
from webapp.annotation.head import hold, set_head
from webapp.annotation.masks import mask_at
from webapp.annotation.models import Head, Object, Origin, Round
from webapp.annotation.notify import notify_worker
from webapp.annotation.rounds import add_version
from webapp.problems import Problem
from webapp.videos.models import Video

EditOp = Literal["clear", "copy", "merge", "swap", "split", "interpolate"]


@dataclass(frozen=True)
class Edit:
    """What to do with the masks of the frames from `first` to `last` (inclusive).

    Accepted frames stay as they are, and so do frames in which an object that would change is accepted singly. An
    object gets no pixels in frames in which it is marked absent, and gives none to others there.

    * clear: the objects lose their pixels.
    * copy: the objects get the masks that they have in the frame `source`.
    * merge: the pixels of the objects become pixels of the object `into`.
    * swap: the two objects exchange their masks.
    * split: the pixels of the only object in `objects` become pixels of the object `into`.
    * interpolate: between `first` and `last`, the shape of each object changes evenly from its first to its last mask.
    """

    op: EditOp
    objects: Sequence[int]
    first: int
    last: int
    source: int | None = None
    into: int | None = None


@transaction.atomic
def create_edit(*, video: Video, author: User, key: UUID | str, edit: Edit) -> Round:
    """Create a version that edits a span. It becomes the head and waits for a worker.

    Raises Problem: "bad_span"; "bad_frame"; "not_ready"; "bad_edit" for objects or frames that do not fit the
    operation; "no_object"; "locked"; "accepted" if every frame that would change is accepted, or one of the objects is
    accepted there; "absent" if the objects are marked absent in all other frames, so that nothing would change;
    "no_mask" if an object is not visible in a frame whose mask is copied or interpolated.
    """
    head = hold(video.pk)
    check_span(video, edit.first, edit.last)
    _check_fit(edit)
    _check_objects(video, edit)
    _check_changeable_frames(video, head, edit)
    _check_shown(video, head, edit)
    made = add_version(
        head,
        video,
        author,
        key,
        origin=Origin.EDITED,
        frame=edit.first,
        scribbles=[],
        span=[edit.first, edit.last],
        objects_changed=sorted(_changed(edit)),
        edit={**asdict(edit), "objects": list(edit.objects)},
        engine="",
        progress_total=edit.last - edit.first + 1,
    )
    changes.round_changed(made)
    set_head(head, made.pk, author)
    notify_worker(made.pk)
    return made


def _changed(edit: Edit) -> set[int]:
    return set(edit.objects) | (set() if edit.into is None else {edit.into})


def _check_fit(edit: Edit) -> None:
    """Raise Problem unless the edit has the objects and frames that its operation needs."""
    match edit.op:
        case "clear":
            pass
        case "copy":
            if edit.source is None:
                raise _bad("Copying needs a frame to copy from.")
        case "merge":
            if edit.into is None or edit.into in edit.objects:
                raise _bad("Merging needs another object to merge into.")
        case "swap":
            if len(set(edit.objects)) != 2:
                raise _bad(f"Swapping needs two objects, there are {len(set(edit.objects))}.")
        case "split":
            if edit.into is None or len(edit.objects) != 1 or edit.into == edit.objects[0]:
                raise _bad("Splitting needs one object and another one that gets its pixels.")
        case "interpolate":
            if edit.last - edit.first < 2:
                raise _bad(f"There is no frame between {edit.first} and {edit.last}.")
        case _:
            assert_never(edit.op)


def _bad(text: str) -> Problem:
    return Problem("bad_edit", text)


def _check_objects(video: Video, edit: Edit) -> None:
    there = {instance.number: instance for instance in Object.objects.filter(video=video, deleted_at=None)}
    for number in sorted(_changed(edit)):
        if number not in there:
            raise Problem("no_object", f"Object {number} is not there any more. Choose another one.", 409)
        if there[number].locked:
            raise Problem("locked", f"{there[number].name} is locked. Unlock it first.", 409)


def _check_changeable_frames(video: Video, head: Head, edit: Edit) -> None:
    inner = edit.op == "interpolate"  # It changes the frames between the first and the last one.
    first, last = (edit.first + 1, edit.last - 1) if inner else (edit.first, edit.last)
    whole = accepted_frames(video.pk)
    single = accepted_objects(video.pk, head.round_id)
    free = {
        frame
        for frame in range(first, last + 1)
        if frame not in whole and not _changed(edit) & single.get(frame, {}).keys()
    }
    if not free:
        raise all_accepted(first, last, whole)
    absent = absent_spans(video.pk)
    if not any(_gains_there(edit, absent_in(absent, frame)) for frame in free):
        raise _all_absent(video, edit, first, last)


def _gains_there(edit: Edit, absent: set[int]) -> bool:
    """Return whether the edit may change a frame in which the objects `absent` are marked absent."""
    match edit.op:
        case "clear":
            return True
        case "copy" | "interpolate":
            return not absent.issuperset(edit.objects)
        case "merge" | "split":
            return edit.into not in absent and not absent.issuperset(edit.objects)
        case "swap":
            return absent.isdisjoint(edit.objects)
        case _:
            assert_never(edit.op)


def _all_absent(video: Video, edit: Edit, first: int, last: int) -> Problem:
    absent = absent_spans(video.pk)
    marked = {number for frame in range(first, last + 1) for number in absent_in(absent, frame)} & _changed(edit)
    rows = Object.objects.filter(video=video, number__in=marked, deleted_at=None).order_by("number")
    names = " and ".join(rows.values_list("name", flat=True))
    where = f"in frame {first}" if first == last else f"from frame {first} to {last}"
    verb = "is" if len(marked) == 1 else "are"
    text = f"Nothing would change, because {names} {verb} marked absent {where}. Take that back first."
    return Problem("absent", text, 409)


def _check_shown(video: Video, head: Head, edit: Edit) -> None:
    """Raise Problem "no_mask" unless the objects are visible in each frame whose mask is copied or interpolated."""
    absent = absent_spans(video.pk)
    sources: dict[str, list[int | None]] = {"copy": [edit.source], "interpolate": [edit.first, edit.last]}
    for frame in sources.get(edit.op, []):
        if frame is None:
            continue
        check_frame(video, frame)
        mask = mask_at(video.pk, head.round_id, frame)
        visible = None if mask is None else without_absent(mask.labels, frame, absent)
        shown: set[int] = set() if visible is None else set(np.unique(visible).tolist())
        missing = set(edit.objects) - shown
        if missing:
            raise Problem("no_mask", f"Frame {frame} has no mask of object {min(missing)}.", 409)
