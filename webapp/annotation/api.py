"""REST calls that read the annotation of a video: its state, rounds, scores and masks."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from segmentation.formats.coco_rle import object_runs
from segmentation.formats.label_png import encode_labels
from webapp.annotation.absence import absent_spans, without_absent
from webapp.annotation.codec import LabelMap
from webapp.annotation.head import head_of
from webapp.annotation.line import Versions, scribbles_of_frame
from webapp.annotation.masks import StoredMask, container, mask_at, masks_of
from webapp.annotation.models import Round
from webapp.annotation.objects import deleted_numbers
from webapp.annotation.schemas import FrameScribbles, LineInfo, RoundInfo, RoundPage, RoundScores, State
from webapp.annotation.scores import score_info, scores_of
from webapp.annotation.state import round_info, round_page, state_of
from webapp.paging import Sorted
from webapp.problems import NotFound, Problem
from webapp.projects.access import Visitor, require
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, binary_answer
from webapp.videos.access import role_for, video_for

router = Router(tags=["annotation"])


class Rle(Schema):
    """A mask as run lengths of COCO: `size` is [height, width], `counts` is the compressed text."""

    size: tuple[int, int]
    counts: str


class ObjectMask(Schema):
    object: int
    segmentation: Rle


class FrameMask(Schema):
    """The mask of a frame. Objects that the frame does not have are left out. `round` is the round that stored it."""

    frame: int
    round: int
    objects: list[ObjectMask]


class MaskList(Schema):
    round: int | None  # The id of the round that was asked for, or of the head; None: before the first round.
    masks: list[FrameMask]


MOST_FRAMES = 500  # The most frames in one answer, which has about a megabyte at 480p.


@router.get("/videos/{int:video_id}/state", response={200: State, 404: ErrorAnswer})
def get_state(request: HttpRequest, video_id: int) -> State:
    """Return the state of a video without its masks: objects, its newest rounds, waiting scribbles, pins, ..."""
    video = video_for(request.user, video_id)
    return state_of(video, require(request.user, video.project_id, what="video"))


@router.get("/videos/{int:video_id}/scores", response={200: list[RoundScores], (400, 403, 404): ErrorAnswer})
def get_scores(request: HttpRequest, video_id: int, part: Query[Sorted], response: HttpResponse) -> list[RoundScores]:
    """Return J and F of the rounds of the video that were compared with ground truth, in the order of rounds."""
    role_for(request.user, video_id, Role.REVIEWER)
    return [score_info(row) for row in part.page(scores_of(video_id), "round__number", request, response)]


@router.get("/videos/{int:video_id}/rounds", response={200: RoundPage, 404: ErrorAnswer})
def list_rounds(
    request: HttpRequest,
    video_id: int,
    before: int | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 100,
) -> RoundPage:
    """Return the rounds of a video with their scribbles, newest first. `before` is the field `next` of the page that
    was read last.
    """
    role_for(request.user, video_id)
    return round_page(video_id, before, limit)


@router.get("/videos/{int:video_id}/line", response={200: LineInfo, 404: ErrorAnswer})
def get_line(request: HttpRequest, video_id: int, round: int | None = None) -> LineInfo:
    """Return a summary of a round and the versions that it builds on, and where redo leads from it.

    Without `round`, that is the state before the first version.
    """
    video = video_for(request.user, video_id)
    return Versions(video).info(None if round is None else _round_of(video_id, round))


@router.get("/videos/{int:video_id}/line/scribbles", response={200: FrameScribbles, 404: ErrorAnswer})
def list_line_scribbles(
    request: HttpRequest,
    video_id: int,
    round: int,
    frame: int,
    before: int | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 100,
) -> FrameScribbles:
    """Return the scribbles of a frame that a round and the rounds it builds on have used, newest first.

    `before` is the field `next` of the page that was read last.
    """
    role_for(request.user, video_id)
    return scribbles_of_frame(video_id, _round_of(video_id, round), frame, before, limit)


@router.get("/rounds/{int:round_id}", response={200: RoundInfo, 404: ErrorAnswer})
def get_round(request: HttpRequest, round_id: int) -> RoundInfo:
    """Return a round: its state, how many of its frames are done, and why it failed if it did."""
    return round_info(_round_for(request.user, round_id))


@router.get("/videos/{int:video_id}/masks", response={200: MaskList, (404, 422): ErrorAnswer})
def get_video_masks(
    request: HttpRequest, video_id: int, first: int = 0, last: int = MOST_FRAMES - 1, round: int | None = None
) -> MaskList:
    """Return the masks of the frames from `first` to `last` at a round, by default at the head, as run lengths of COCO.

    There are at most 500 frames in one answer.
    """
    role_for(request.user, video_id)
    _check_range(first, last)
    at = head_of(video_id) if round is None else _round_of(video_id, round)
    shown = _Shown(video_id)
    return MaskList(round=at, masks=[_frame_mask(mask, shown) for mask in masks_of(video_id, at, first, last)])


@router.get(
    "/videos/{int:video_id}/masks/{int:frame}.png",
    response={404: ErrorAnswer},
    openapi_extra=binary_answer("image/png"),
)
def get_mask_png(request: HttpRequest, video_id: int, frame: int, round: int | None = None) -> HttpResponse:
    """Return the label map of a frame at a round, by default at the head, as an indexed PNG of object ids."""
    role_for(request.user, video_id)
    at = head_of(video_id) if round is None else _round_of(video_id, round)
    mask = mask_at(video_id, at, frame)
    if mask is None:
        raise NotFound("mask")
    labels = _Shown(video_id).labels(mask)
    return HttpResponse(encode_labels(labels), content_type="image/png", headers={"Cache-Control": "private, no-cache"})


class _Shown:
    """Turns stored masks into those that scripts get: without deleted objects, and without objects marked as absent."""

    def __init__(self, video_id: int) -> None:
        self._deleted = list(deleted_numbers(video_id))
        self._absent = absent_spans(video_id)

    def labels(self, mask: StoredMask) -> LabelMap:
        labels = mask.labels
        labels[np.isin(labels, self._deleted)] = 0
        return without_absent(labels, mask.frame, self._absent)


def _frame_mask(mask: StoredMask, shown: _Shown) -> FrameMask:
    labels = shown.labels(mask)
    runs = object_runs(labels)
    objects = [ObjectMask(object=number, segmentation=Rle(**there.rle)) for number, there in runs.items()]
    return FrameMask(frame=mask.frame, round=mask.round_id, objects=objects)


def _round_of(video_id: int, round_id: int) -> int:
    if not Round.objects.filter(video_id=video_id, pk=round_id).exists():
        raise NotFound("round")
    return round_id


def _round_for(user: Visitor, round_id: int) -> Round:
    """Return a round of a video that `user` may see. Raises NotFound also for rounds that `user` may not see."""
    round_ = Round.objects.select_related("author").filter(pk=round_id).first()
    if round_ is None:
        raise NotFound("round")
    try:
        role_for(user, round_.video_id)
    except NotFound:
        raise NotFound("round") from None
    return round_


def _check_range(first: int, last: int) -> None:
    if not 0 <= first <= last < first + MOST_FRAMES:
        raise Problem("bad_range", f"Ask for 1 to {MOST_FRAMES} frames at a time.", 422)


@router.get(
    "/rounds/{int:round_id}/masks",
    response={(404, 422): ErrorAnswer},
    openapi_extra=binary_answer("application/octet-stream"),
)
def get_masks(request: HttpRequest, round_id: int, first: int = 0, last: int = MOST_FRAMES - 1) -> HttpResponse:
    """Return the masks that this round itself stored for the frames from `first` to `last`, as one container.

    docs/contracts.md describes the container.
    """
    round_ = _round_for(request.user, round_id)
    _check_range(first, last)
    answer = HttpResponse(container(round_id, first, last), content_type="application/octet-stream")
    # Masks of a round that has ended do not change; only `fsck --repair` removes one that cannot be read. `ended` was
    # read before the masks, so none can be missing.
    answer["Cache-Control"] = "private, max-age=31536000, immutable" if round_.ended else "private, no-store"
    return answer
