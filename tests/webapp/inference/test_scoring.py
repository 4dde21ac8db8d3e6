"""Tests of comparing the masks of rounds with ground truth.

Each object is compared with the object of the ground truth that it overlaps, and only reviewers see the J&F.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from segmentation.formats.label_png import encode_labels
from segmentation.metrics import score as j_and_f
from tests.webapp.conftest import draw
from webapp.accounts.models import User
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Change, Round, RoundScore
from webapp.annotation.rounds import create_round
from webapp.annotation.scores import FORGOTTEN_AFTER, score_info, scores_of, sweep_scores
from webapp.inference import scoring
from webapp.inference.scoring import match, score
from webapp.inference.tasks import score_round
from webapp.inference.work import work_on
from webapp.videos.models import Video
from webapp.videos.storage import folder_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


def give_truth(video: Video, truth: np.ndarray[Any, Any], frames: list[int]) -> None:
    for frame in frames:
        folder_of(video.pk).truth(frame).write_bytes(encode_labels(truth[frame]))
    video.truth_frames, video.truth_objects = frames, int(truth.max())
    video.save()


@pytest.fixture
def round_(video: Video, owner: User) -> Round:
    """Return a round that has ended, in a video with ground truth of the frames 0 and 2.

    The object with the object id 1 has the id 2 in the ground truth, and is one pixel further to the right there.
    """
    draw(video, owner, 0, 1)
    made = create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="fake", base=None)
    work_on(made.pk)
    masks = np.stack([mask.labels for mask in masks_of(video.pk, made.pk)])
    give_truth(video, np.roll(masks * 2, 1, axis=2).astype(np.uint8), [0, 2])
    return Round.objects.get(pk=made.pk)


def test_a_round_is_scored_by_the_frames_that_have_truth(round_: Round, video: Video) -> None:
    assert score(round_.pk)
    (found,) = map(score_info, scores_of(video.pk))
    masks = {mask.frame: (mask.labels == 1).astype(np.uint8) for mask in masks_of(video.pk, round_.pk)}
    labels = np.stack([masks[0], masks[2]])
    truth = np.roll(labels, 1, axis=2)
    wanted = j_and_f(truth, labels, 1)
    assert [(object_.object, object_.truth) for object_ in found.objects] == [(1, 2)]
    assert found.j == pytest.approx(wanted.mean_j, abs=1e-4)  # Cells have four digits.
    assert found.f == pytest.approx(wanted.mean_f, abs=1e-4)
    assert found.jf == pytest.approx(wanted.mean_j_and_f, abs=1e-4)
    assert found.frames == pytest.approx({0: wanted.j_and_f[0, 0], 2: wanted.j_and_f[1, 0]}, abs=1e-4)
    assert 0 < found.j < 1
    cells = RoundScore.objects.get(round=round_).cells
    assert [(frame, number) for frame, number, _, _ in cells] == [(0, 1), (2, 1)]
    assert np.mean([j for _, _, j, _ in cells]) == pytest.approx(found.j, abs=1e-4)


def test_an_object_of_the_truth_that_nobody_drew_counts_as_missed(round_: Round, video: Video) -> None:
    truth = np.zeros((video.frame_count, video.height, video.width), np.uint8)
    truth[:, -1, -1] = 3  # Far from everything that was drawn.
    give_truth(video, truth, [0, 2])
    assert score(round_.pk)
    assert RoundScore.objects.get(round=round_).cells == [[0, 0, 0, 0], [2, 0, 0, 0]]
    assert score_info(scores_of(video.pk)[0]).frames == {0: 0, 2: 0}


def test_objects_are_matched_by_what_they_share_most() -> None:
    shared = np.zeros((256, 256), np.int64)
    shared[1, 3], shared[1, 1], shared[2, 3], shared[2, 1] = 100, 90, 95, 5
    assert match(shared) == {
        1: 1,
        2: 3,
    }  # The objects share 90 + 95 pixels. The best match of each object alone would give both the same id.
    assert match(np.zeros((256, 256), np.int64)) == {}


def test_a_mask_beside_all_truth_scores_nothing(round_: Round, video: Video) -> None:
    give_truth(video, np.zeros((video.frame_count, video.height, video.width), np.uint8), [0, 2])
    Video.objects.filter(pk=video.pk).update(truth_objects=1)
    assert score(round_.pk)
    (found,) = map(score_info, scores_of(video.pk))
    assert (found.jf, found.objects) == (0, [])


def test_a_video_without_truth_is_not_scored(round_: Round, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(truth_objects=0, truth_frames=[])
    assert not score(round_.pk)
    assert not RoundScore.objects.exists()


def test_the_log_tells_that_there_is_a_score_but_not_which(round_: Round, video: Video) -> None:
    score(round_.pk)
    told = [change.message for change in Change.objects.filter(video=video)]
    assert told[-1] == {"type": "round.scored", "round": round_.pk}


def test_reviewers_see_scores_and_annotators_do_not(
    round_: Round, video: Video, reviewer: User, annotator: User, client_as: Callable[[User], Client]
) -> None:
    score(round_.pk)
    answer = client_as(reviewer).get(f"/api/videos/{video.pk}/scores")
    assert [entry["round"] for entry in answer.json()] == [round_.pk]
    assert client_as(annotator).get(f"/api/videos/{video.pk}/scores").status_code == 403


def test_a_forgotten_round_is_sent_to_be_scored_again(round_: Round, sent_tasks: list[Any]) -> None:
    sent_tasks.clear()
    assert sweep_scores() == 0  # The sweep leaves out rounds that have just ended.
    Round.objects.filter(pk=round_.pk).update(finished_at=timezone.now() - FORGOTTEN_AFTER * 2)
    assert sweep_scores() == 1
    score(round_.pk)
    assert sweep_scores() == 0


def test_the_round_that_the_video_stands_at_is_compared_before_older_ones(
    round_: Round, video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(video, owner, 0, 1)
    newest = create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="fake", base=round_.pk)
    work_on(newest.pk)
    compared: list[int] = []
    really = scoring.overlaps

    def noted(made: Round) -> Any:
        compared.append(made.pk)
        return really(made)

    monkeypatch.setattr(scoring, "overlaps", noted)
    score_round(round_.pk)  # The tasks come in the order in which the rounds ended.
    score_round(newest.pk)
    assert compared == [newest.pk, round_.pk]


def test_a_head_that_cannot_be_compared_does_not_keep_an_older_round_from_being_compared(
    round_: Round, video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(video, owner, 1, 1)
    newest = create_round(video=video, author=owner, key=uuid4(), frames=[1], engine="fake", base=round_.pk)
    work_on(newest.pk)
    really = scoring.overlaps

    def broken(made: Round) -> Any:
        if made.pk == newest.pk:
            raise ValueError("This mask cannot be read.")
        return really(made)

    monkeypatch.setattr(scoring, "overlaps", broken)
    with pytest.raises(ValueError, match="cannot be read"):
        scoring.score_head_first(round_.pk)
    assert list(RoundScore.objects.values_list("round_id", flat=True)) == [round_.pk]


def test_a_round_that_was_sent_several_times_is_compared_once(
    round_: Round, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert score(round_.pk)
    told = Change.objects.count()
    monkeypatch.setattr(scoring, "overlaps", lambda round_: pytest.fail("it has a score"))
    assert score(round_.pk)
    assert (RoundScore.objects.count(), Change.objects.count()) == (1, told)
