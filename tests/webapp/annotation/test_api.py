"""Tests of the REST calls for the state of a video and for masks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, store
from webapp.annotation.codec import unpack
from webapp.annotation.schemas import State
from webapp.videos.models import Video

As = Callable[[User | None], Client]


def test_the_state_is_that_of_the_protocol(client_as: As, viewer: User, owner: User, video: Video) -> None:
    done(video, owner, None, [0, 1])
    answer = client_as(viewer).get(f"/api/videos/{video.pk}/state")
    state = State.model_validate_json(answer.content)
    assert (state.video.name, state.rounds[0].frames) == ("reef.mp4", [(0, 1)])


def test_masks_of_an_ended_round_may_be_kept_for_ever(client_as: As, viewer: User, owner: User, video: Video) -> None:
    made = done(video, owner, None, [0, 1, 5])
    answer = client_as(viewer).get(f"/api/rounds/{made.pk}/masks?first=1&last=7")
    assert answer.status_code == 200
    assert [mask.frame for mask in unpack(answer.content)] == [1, 5]
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


def test_masks_of_a_running_round_may_not(client_as: As, owner: User, video: Video) -> None:
    made = run(video, owner, None)
    claimed = claim(made.pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    answer = client_as(owner).get(f"/api/rounds/{made.pk}/masks")
    assert [mask.frame for mask in unpack(answer.content)] == [0]
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("query", ["first=-1&last=3", "first=5&last=3", "first=0&last=500", "first=x"])
def test_it_refuses_ranges_that_are_none(client_as: As, owner: User, video: Video, query: str) -> None:
    made = done(video, owner, None, [0])
    answer = client_as(owner).get(f"/api/rounds/{made.pk}/masks?{query}")
    assert answer.status_code == 422


def test_strangers_learn_nothing(client_as: As, stranger: User, owner: User, video: Video) -> None:
    made = done(video, owner, None, [0])
    for number in (made.pk, made.pk + 1000):
        answer = client_as(stranger).get(f"/api/rounds/{number}/masks")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "round" in answer.json()["text"]
    assert client_as(stranger).get(f"/api/videos/{video.pk}/state").status_code == 404
    assert client_as(None).get(f"/api/rounds/{made.pk}/masks").status_code == 401
