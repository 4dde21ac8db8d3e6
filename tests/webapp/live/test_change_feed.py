"""Tests of what a poll of the change log, or a page that comes back, gets while people and workers write."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import transaction

from tests.conftest import make_user
from tests.webapp.conftest import HEIGHT, WIDTH, painted, run, some_mask
from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.claims import Claim, claim, finish, store
from webapp.annotation.models import Change, Mask, Round
from webapp.annotation.painting import paint_mask
from webapp.annotation.state import last_change
from webapp.live import change_feed
from webapp.projects.models import Role
from webapp.videos.models import Video


def claim_now(round_: Round) -> Claim:
    claimed = claim(round_.pk, "w")
    assert claimed
    return claimed


def test_a_mask_that_is_painted_while_the_log_is_read_is_not_missed(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = run(video, owner, None)
    claimed = claim_now(running)
    cursor = change_feed.cursor_at_end(video.pk)
    read = change_feed._changes

    def paint_after(video_id: int, seq: int) -> list[Change]:
        monkeypatch.setattr(change_feed, "_changes", read)
        changes = read(video_id, seq)
        data = painted(np.ones((HEIGHT, WIDTH), np.uint8))
        paint_mask(video=video, author=owner, key=uuid4(), frame=3, object_id=1, data=data, over="all")
        assert store(claimed, [some_mask(0)])
        return changes

    monkeypatch.setattr(change_feed, "_changes", paint_after)
    first = change_feed.poll(video.pk, cursor)
    assert [mask.frame for mask in first.masks] == [3, 0]
    second = change_feed.poll(video.pk, cursor)
    assert second.masks == []
    assert [entry.ends for entry in second.changes if "painted" in entry.text] == [True]


def test_the_last_mask_of_a_round_is_not_missed_if_the_next_round_begins_while_masks_are_read(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = change_feed.cursor_at_end(video.pk)
    first = run(video, owner, None)
    second = run(video, make_user("second"), first.pk, frame=2)
    claimed = claim_now(first)
    assert store(claimed, [some_mask(0)])
    query = change_feed._MASKS

    class Slow:
        """Reads masks, and lets the worker go on after the masks of one round are read."""

        def rows(self, **given: Any) -> list[Mask]:
            monkeypatch.setattr(change_feed, "_MASKS", query)
            masks = query.rows(**given)
            store(claimed, [some_mask(1)])
            finish(claimed, complete=True)
            store(claim_now(second), [some_mask(2)])
            return masks

    monkeypatch.setattr(change_feed, "_MASKS", Slow())
    polls = [change_feed.poll(video.pk, cursor) for _ in range(2)]
    assert [mask.frame for poll in polls for mask in poll.masks] == [0, 1, 2]


def test_after_a_gap_only_reviewers_are_told_what_shows_that_there_is_ground_truth(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    before = last_change(video.pk)
    with transaction.atomic():
        changes.round_scored(made)
        changes.jobs_changed(video.pk)
    for role, told in ((Role.ANNOTATOR, ["jobs.changed"]), (Role.REVIEWER, ["round.scored", "jobs.changed"])):
        catchup = change_feed.catch_up(video, role, before, 0)
        assert [json.loads(entry.text)["type"] for entry in catchup.changes] == told
        assert catchup.seq == last_change(video.pk)


def test_a_mask_that_is_stored_while_a_gap_is_filled_is_not_passed_over(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run(video, owner, None)
    claimed, before = claim_now(made), last_change(video.pk)
    store(claimed, [some_mask(0)])

    def disturbed(function: Any, frame: int) -> Any:
        def call(*arguments: Any) -> Any:
            store(claimed, [some_mask(frame)])
            return function(*arguments)

        return call

    monkeypatch.setattr(change_feed, "packed", disturbed(change_feed.packed, 1))
    monkeypatch.setattr(change_feed, "last_mask", disturbed(change_feed.last_mask, 2))
    catchup = change_feed.catch_up(video, Role.ANNOTATOR, before, 0)
    later = Mask.objects.filter(pk__gt=catchup.mask_seq).values_list("frame", flat=True)
    assert {mask.frame for mask in catchup.masks} | set(later) == {0, 1, 2}
