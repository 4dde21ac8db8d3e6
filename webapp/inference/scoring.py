"""Compares the masks at a round with ground truth: finds which object is which, then computes J and F of each object.

Only frames that have ground truth count.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from webapp.annotation.codec import LabelMap
from webapp.annotation.head import head_of
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Round
from webapp.annotation.schemas import ObjectScore
from webapp.annotation.scores import is_scored, store_score
from webapp.inference import runner
from webapp.quality.checking import check_submitted
from webapp.videos.models import Video
from webapp.videos.storage import read_truth

IGNORED = 255  # In ground truth it means "ignore".
IDS = 256  # A label map has one byte per pixel.


def score_head_first(round_id: int) -> None:
    """Compare the round that the video of `round_id` stands at, then `round_id` itself, with ground truth.

    Each painted stroke is a round of its own. A person who submits many of them, or a reviewer who looks at them, waits
    for the comparison of the last one, which must not wait for those of all before it.
    """
    video_id = Round.objects.filter(pk=round_id).values_list("video_id", flat=True).first()
    head = None if video_id is None else head_of(video_id)
    try:
        if head is not None and head != round_id:
            score(head)
    finally:  # A head that cannot be compared must not keep the others from being compared.
        score(round_id)


def score(round_id: int) -> bool:
    """Compare the masks at a round with ground truth and store the result. Return False if there is nothing to compare.

    A round that has a score already keeps it, because a busy worker may be notified of the same round several times.
    """
    round_ = Round.objects.select_related("video").filter(pk=round_id).first()
    if round_ is None or not round_.ended or not round_.video.truth_objects:
        return False
    if is_scored(round_id):
        return True
    matched = match(overlaps(round_))
    numbers = sorted(matched)
    # Maps an object id to its index in `numbers` plus 1, or to 0 if the object is not in the ground truth.
    table = np.zeros(IDS, np.uint8)
    table[numbers] = range(1, len(numbers) + 1)
    truth_table = np.zeros(IDS, np.uint8)
    truth_table[[matched[number] for number in numbers]] = range(1, len(numbers) + 1)
    missed = set(range(1, IGNORED)) - set(matched.values())  # No object was drawn for them, which counts as J = F = 0.
    j, f, frames = [], [], {}
    cells: list[tuple[int, int, float, float]] = []
    for frame, truth, labels in _pairs(round_):
        cells += [(frame, 0, 0.0, 0.0) for truth_id in missed & set(np.unique(truth).tolist()) if truth_id]
        if numbers:
            one_j, one_f = runner.j_and_f(truth_table[truth], table[labels], len(numbers))
            j.append(one_j)
            f.append(one_f)
            frames[frame] = round(float((one_j + one_f).mean() / 2), 4)
            pairs = zip(numbers, one_j, one_f, strict=True)
            cells += [(frame, number, round(float(a), 4), round(float(b), 4)) for number, a, b in pairs]
    objects = [
        ObjectScore(
            object=number, truth=matched[number], j=float(np.mean(j, axis=0)[i]), f=float(np.mean(f, axis=0)[i])
        )
        for i, number in enumerate(numbers)
    ]
    store_score(round_id=round_id, objects=objects, frames=frames, cells=cells)
    check_submitted(round_.video_id)
    return True


def overlaps(round_: Round) -> NDArray[np.int64]:
    """Count the pixels that each object shares with each ground truth id over all frames: int64 [256, 256].

    The first index is the object id, the second the ground truth id.
    """
    shared = np.zeros(IDS * IDS, np.int64)
    for _, truth, labels in _pairs(round_):
        shared += np.bincount(labels.ravel().astype(np.int32) * IDS + truth.ravel(), minlength=IDS * IDS)
    return shared.reshape(IDS, IDS)


def match(shared: NDArray[np.int64]) -> dict[int, int]:
    """Map object ids to ground truth ids, each at most once, so that the matched pairs share as many pixels as
    possible.

    This is needed because people choose object ids freely. `shared` is what `overlaps` returns.
    """
    objects, ids = linear_sum_assignment(-shared[1:, 1:IGNORED])
    pairs = ((int(o) + 1, int(t) + 1) for o, t in zip(objects, ids, strict=True))
    return {number: truth for number, truth in pairs if shared[number, truth] > 0}


def _pairs(round_: Round) -> Iterator[tuple[int, LabelMap, LabelMap]]:
    """Yield (frame, ground truth, mask) for every frame that has ground truth, both uint8 [H, W].

    A frame without a mask counts as empty.
    """
    video: Video = round_.video
    wanted = set(video.truth_frames)
    masks = (mask for mask in masks_of(video.pk, round_.pk) if mask.frame in wanted)
    for mask in masks:
        wanted.discard(mask.frame)
        yield mask.frame, _truth(video, mask.frame), mask.labels
    for frame in sorted(wanted):
        yield frame, _truth(video, frame), np.zeros((video.height, video.width), np.uint8)


def _truth(video: Video, frame: int) -> LabelMap:
    truth = read_truth(video, frame)
    if truth is None:
        raise FileNotFoundError(f"truth of frame {frame} of video {video.pk}")
    return truth
