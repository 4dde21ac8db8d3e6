"""Tests of which mask is the current one if a frame has several, and of reading the masks of a video in parts."""

from __future__ import annotations

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, run
from webapp.accounts.models import User
from webapp.annotation import masks
from webapp.annotation.codec import unpack
from webapp.annotation.undo import move_head
from webapp.videos.models import Video


def made_by(video: Video, head: int | None) -> dict[int, int]:
    return {mask.frame: mask.round_id for mask in masks.masks_of(video.pk, head)}


def test_the_newest_round_that_has_the_frame_wins(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1, 2, 3])
    second = done(video, owner, first.pk, [2, 3, 4])
    assert made_by(video, second.pk) == {0: first.pk, 1: first.pk, 2: second.pk, 3: second.pk, 4: second.pk}
    assert made_by(video, first.pk) == dict.fromkeys(range(4), first.pk)
    assert made_by(video, None) == {}


def test_an_accepted_mask_wins_over_newer_rounds_and_over_undo(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    accept(video, owner, 1)
    second = done(video, owner, first.pk, [0, 1])
    assert made_by(video, second.pk) == {0: second.pk, 1: first.pk}
    move_head(video=video, by=owner, from_round=second.pk, to_round=None)
    assert made_by(video, None) == {1: first.pk}


def test_videos_with_masks_are_those_whose_head_builds_on_a_round_that_stored_some(video: Video, owner: User) -> None:
    empty = run(video, owner, None, frame=0)
    first = done(video, owner, empty.pk, [1])
    last = run(video, owner, first.pk, frame=2)
    assert masks.with_masks({video.pk: last.pk}) == {video.pk}
    assert masks.with_masks({video.pk: empty.pk}) == set()
    accept(video, owner, 1)
    assert masks.with_masks({video.pk: empty.pk}) == {video.pk}


def test_only_the_frames_asked_for(video: Video, owner: User) -> None:
    made = done(video, owner, None, [0, 1, 2, 3])
    assert [mask.frame for mask in masks.masks_of(video.pk, made.pk, 1, 2)] == [1, 2]
    found = masks.mask_at(video.pk, made.pk, 2)
    assert found is not None
    assert found.labels[2, :5].all()
    assert masks.mask_at(video.pk, made.pk, 7) is None


def test_masks_are_read_in_chunks(video: Video, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made = done(video, owner, None, list(range(8)))
    monkeypatch.setattr(masks, "CHUNK", 3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert [mask.frame for mask in masks.masks_of(video.pk, made.pk)] == list(range(8))
    reads = [query["sql"] for query in queries if '"annotation_mask"."data"' in query["sql"]]
    assert len(reads) == 3


def test_a_container_has_the_rounds_own_masks(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1, 2])
    second = done(video, owner, first.pk, [1])
    assert [(mask.frame, mask.round) for mask in unpack(masks.container(second.pk, 0, 7))] == [(1, second.pk)]
    packed = unpack(masks.container(first.pk, 1, 7))
    assert [mask.frame for mask in packed] == [1, 2]
    assert packed[0].confidence == (round(0.5 * 255) / 255,)


@given(st.sets(st.integers(0, 60)))
def test_ranges_name_exactly_their_frames(frames: set[int]) -> None:
    spans = masks.ranges(sorted(frames))
    assert {frame for first, last in spans for frame in range(first, last + 1)} == frames
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(spans))
