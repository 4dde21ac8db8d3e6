"""Carries out edits of a span (webapp/annotation/edits.py): computes the new masks of its frames.

No engine is needed: the new masks are made from those that the frames had before the edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

import numpy as np

from segmentation.types import LabelMap, MaskUpdate
from webapp.annotation.absence import absent_in, absent_spans, without_absent
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.accepted_objects import accepted_at, accepted_objects
from webapp.annotation.edits import EditOp
from webapp.annotation.masks import mask_at, masks_of
from webapp.annotation.models import Mask, Object, Round
from webapp.annotation.objects import locked_numbers
from webapp.inference import runner
from webapp.problems import Problem


def edited_masks(round_: Round) -> Iterator[MaskUpdate]:
    """Yield the new mask of each frame that the edit of a version changes, in the order of frames.

    Left out are accepted frames, frames in which an object that the edit changes is accepted singly, and frames whose
    mask would stay the same. An object that is marked absent in a frame gets no pixels there and gives none away.
    Raises Problem if an object of the edit was locked after the edit was requested, also while it is carried out.
    """
    _check_unlocked(round_)
    edit = round_.edit
    assert edit is not None
    op: EditOp = edit["op"]
    match op:
        case "copy":
            changed = _copied(round_, edit)
        case "interpolate":
            changed = _interpolated(round_, edit)
        case "clear" | "merge" | "split" | "swap":
            changed = _relabelled(round_, op, edit)
        case _:
            assert_never(op)
    edited = set(round_.objects_changed or ())
    accepted = accepted_objects(round_.video_id, round_.base_id)
    skipped = accepted_frames(round_.video_id) | {frame for frame, ids in accepted.items() if edited & ids.keys()}
    for frame, labels, confidence in changed:
        if frame not in skipped:
            _check_unlocked(round_)  # A long span takes minutes, in which a person may lock an object.
            yield MaskUpdate(frame, labels, confidence)


def _check_unlocked(round_: Round) -> None:
    locked = locked_numbers(round_.video_id).intersection(round_.objects_changed or ())
    if locked:
        rows = Object.objects.filter(video=round_.video_id, number__in=locked).order_by("number")
        names = list(rows.values_list("name", flat=True))
        was, them = ("was", "it") if len(names) == 1 else ("were", "them")
        said = f"Nothing changed, because {', '.join(names)} {was} locked meanwhile. Unlock {them}, then edit again."
        raise Problem("locked", said)


Changed = Iterator[tuple[int, LabelMap, tuple[float, ...]]]


def _table(op: EditOp, edit: Mapping[str, Any], absent: set[int]) -> LabelMap:
    """Return the table, uint8 [256], by which an edit replaces each object id by another one.

    `absent` are the objects that are marked absent in the frame.
    """
    table = np.arange(256, dtype=np.uint8)
    objects = edit["objects"]
    if op == "clear":
        table[objects] = 0
    elif op == "swap":
        first, second = sorted(set(objects))
        if absent.isdisjoint(objects):
            table[first], table[second] = second, first
    elif edit["into"] not in absent:
        table[[number for number in objects if number not in absent]] = edit["into"]
    return table


def _relabelled(round_: Round, op: EditOp, edit: Mapping[str, Any]) -> Changed:
    first, last = _span(round_)
    confidence = _confidences(round_)
    absent = absent_spans(round_.video_id)
    for mask in masks_of(round_.video_id, round_.base_id, first, last):
        before = mask.labels
        labels = _table(op, edit, absent_in(absent, mask.frame))[before]
        if (labels != before).any():
            yield mask.frame, labels, confidence(mask.mask_id)


def _copied(round_: Round, edit: Mapping[str, Any]) -> Changed:
    source = _labels_at(round_, edit["source"])
    absent = absent_spans(round_.video_id)
    first, last = _span(round_)
    for frame in range(first, last + 1):
        present = set(edit["objects"]) - absent_in(absent, frame)
        yield from _replaced(round_, frame, {number: source == number for number in sorted(present)})


def _interpolated(round_: Round, edit: Mapping[str, Any]) -> Changed:
    first, last = _span(round_)
    start, end = _labels_at(round_, first), _labels_at(round_, last)
    absent = absent_spans(round_.video_id)
    for frame in range(first + 1, last):
        share = (frame - first) / (last - first)
        present = sorted(set(edit["objects"]) - absent_in(absent, frame))
        shapes = {number: runner.interpolated(start == number, end == number, share) for number in present}
        yield from _replaced(round_, frame, shapes)


def _replaced(round_: Round, frame: int, shapes: Mapping[int, Any]) -> Changed:
    """Yield the new mask of a frame, in which the objects have the given shapes.

    Yield nothing if no shape is given, or if the frame has a mask and no pixel of it would change.

    `shapes` maps object ids to their new shapes, bool [H, W]. Locked and accepted objects keep their pixels.
    """
    if not shapes:
        return
    standing = mask_at(round_.video_id, round_.base_id, frame)
    before = _blank(round_) if standing is None else standing.labels
    labels = before.copy()
    accepted = accepted_at(round_.video_id, round_.base_id, frame)
    kept = np.isin(before, list(locked_numbers(round_.video_id) | accepted))
    for number in shapes:
        labels[(labels == number) & ~kept] = 0
    for number, shape in shapes.items():
        labels[shape & ~kept] = number
    if standing is None or (labels != before).any():
        confidence = _confidences(round_)
        yield frame, labels, confidence(None if standing is None else standing.mask_id)


def _confidences(round_: Round) -> Any:
    """Return a function that gives the confidences of all objects in a frame after the edit.

    It takes the id of the frame's mask before the edit, or None. Edited objects get 1, the others keep their
    confidence.
    """
    edited = set(round_.objects_changed or ())

    def confidence(mask_id: int | None) -> tuple[float, ...]:
        before = [] if mask_id is None else Mask.objects.values_list("confidence", flat=True).get(pk=mask_id)
        known = [*before, *[1.0] * (round_.num_objects - len(before))]
        return tuple(1.0 if number in edited else value for number, value in enumerate(known, 1))

    return confidence


def _labels_at(round_: Round, frame: int) -> LabelMap:
    """Return the mask that a frame had before an edit, without the objects that are marked absent there.

    The mask is empty if the frame has lost it since the edit was requested.
    """
    mask = mask_at(round_.video_id, round_.base_id, frame)
    return _blank(round_) if mask is None else without_absent(mask.labels, frame, absent_spans(round_.video_id))


def _blank(round_: Round) -> LabelMap:
    return np.zeros((round_.video.height, round_.video.width), np.uint8)


def _span(round_: Round) -> tuple[int, int]:
    assert round_.span is not None  # Every edit has a span.
    first, last = round_.span
    return first, last
