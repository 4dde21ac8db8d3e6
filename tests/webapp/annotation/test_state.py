"""Tests of the state of a video that a page gets, and of the rows of its change log, which keep the page up to date."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, draw, run, some_mask
from webapp.accounts.models import User
from webapp.annotation import state as states
from webapp.annotation.changes import head_moved
from webapp.annotation.claims import claim, store
from webapp.annotation.head import head_of
from webapp.annotation.models import Change, Mask
from webapp.annotation.state import last_mask, state_of
from webapp.live.protocol import server_messages
from webapp.projects.models import Role
from webapp.videos.models import Video


def test_a_fresh_video(video: Video) -> None:
    state = state_of(video, Role.VIEWER)
    assert (state.head, state.rounds, state.scribbles, state.accepted, state.mask_seq) == (None, [], [], {}, 0)
    assert [object_.name for object_ in state.objects] == ["Fish"]
    assert state.video.project_name == "Reef"


def test_it_holds_everything_but_masks(video: Video, owner: User, annotator: User) -> None:
    first = done(video, owner, None, [0, 1, 5])
    accept(video, owner, 1)
    second = run(video, owner, first.pk, frame=3)
    claimed = claim(second.pk, "w")
    assert claimed
    store(claimed, [some_mask(3), some_mask(4)])
    scribble = draw(video, annotator, frame=6, number=0)
    state = state_of(video, Role.ANNOTATOR)
    assert state.head == second.pk
    assert state.accepted == {1: first.pk}
    assert [waiting.key for waiting in state.scribbles] == [str(scribble.key)]
    assert state.scribbles[0].author.name == "Annotator"
    assert [round_.frames for round_ in state.rounds] == [[(0, 1), (5, 5)], [(3, 4)]]
    assert [(round_.state, round_.done) for round_ in state.rounds] == [("done", 3), ("running", 2)]
    newest = Mask.objects.order_by("-id").first()
    assert newest is not None
    assert state.mask_seq == newest.pk == last_mask(video.pk)
    assert state.seq == max(Change.objects.values_list("pk", flat=True))


def test_hidden_truth_is_for_reviewers(video: Video) -> None:
    video.truth_frames = [0, 4]
    assert state_of(video, Role.ANNOTATOR).video.truth_frames == []
    assert state_of(video, Role.REVIEWER).video.truth_frames == [0, 4]


def test_its_cost_does_not_grow_with_rounds_that_have_ended(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    with CaptureQueriesContext(connection) as few:
        state_of(video, Role.OWNER)
    base = first.pk
    for frame in range(1, 6):
        base = done(video, owner, base, [frame]).pk
    with CaptureQueriesContext(connection) as many:
        state_of(video, Role.OWNER)
    assert len(many) == len(few)


def test_every_row_of_the_log_is_a_message_of_the_protocol(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    accept(video, owner, 1)
    run(video, owner, first.pk)
    kinds = set()
    for change in Change.objects.all():
        message = server_messages.validate_python({**change.message, "seq": change.pk})
        kinds.add(message.type)
    assert kinds == {
        "object.changed",
        "scribble.added",
        "scribble.removed",
        "round.changed",
        "head.moved",
        "accepted.changed",
    }


@pytest.mark.django_db(transaction=True)
def test_a_change_outside_a_transaction_is_a_mistake(video: Video, owner: User) -> None:
    with pytest.raises(RuntimeError, match="in the transaction"):
        head_moved(video.pk, None, owner)


def test_older_rounds_come_without_paths_which_a_page_of_rounds_has(
    video: Video, owner: User, client_as: Callable[[User | None], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "WHOLE_ROUNDS", 1)
    first = run(video, owner, None)
    second = run(video, owner, head_of(video.pk), frame=1)
    client, address = client_as(owner), f"/api/videos/{video.pk}"
    rounds = client.get(f"{address}/state").json()["rounds"]
    assert [[len(scribble["path"]) for scribble in made["scribbles"]] for made in rounds] == [[0], [2]]
    page = client.get(f"{address}/rounds", {"limit": 1}).json()
    assert ([made["id"] for made in page["rounds"]], page["next"]) == ([second.pk], second.pk)
    page = client.get(f"{address}/rounds", {"before": page["next"]}).json()
    assert ([made["id"] for made in page["rounds"]], page["next"]) == ([first.pk], None)
    assert page["rounds"][0] == rounds[0] | {"scribbles": page["rounds"][0]["scribbles"]}
    assert [len(scribble["path"]) for scribble in page["rounds"][0]["scribbles"]] == [2]
