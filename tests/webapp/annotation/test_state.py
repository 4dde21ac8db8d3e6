"""Tests of the state of a video that a page gets, and of the rows of its change log, which keep the page up to date."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.webapp.annotation.test_line import paint
from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, draw, make_video, run, some_mask
from webapp.accounts.models import User
from webapp.annotation import state as states
from webapp.annotation.changes import head_moved
from webapp.annotation.claims import claim, store
from webapp.annotation.models import Change, Head, Mask, Round, RoundState, Scribble
from webapp.annotation.rounds import cancel_round
from webapp.annotation.state import last_mask, state_of
from webapp.annotation.undo import move_head
from webapp.live.protocol import server_messages
from webapp.projects.models import Project, Role
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


def test_a_state_has_the_newest_rounds_and_says_what_the_others_amount_to(
    video: Video, owner: User, client_as: Callable[[User | None], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "NEWEST", 2)
    made: list[Round] = []
    for frame in range(5):
        made.append(done(video, owner, made[-1].pk if made else None, [frame]))
        state = state_of(video, Role.OWNER)
        assert [info.id for info in state.rounds] == [round_.pk for round_ in made[-2:]]
        assert (state.older is None) == (len(made) <= 2)
    assert state.older
    assert (state.older.before, state.older.count, state.older.line.round) == (made[3].pk, 3, made[2].pk)
    assert state.older.line.rounds == [(made[0].pk, made[2].pk)]
    assert state.older.line.masks == [(frame, frame, made[frame].pk) for frame in range(3)]
    client, address = client_as(owner), f"/api/videos/{video.pk}/rounds"
    page = client.get(address, {"before": state.older.before, "limit": 2}).json()
    assert ([info["id"] for info in page["rounds"]], page["next"]) == ([made[2].pk, made[1].pk], made[1].pk)
    assert [len(scribble["path"]) for scribble in page["rounds"][0]["scribbles"]] == [2]
    page = client.get(address, {"before": page["next"]}).json()
    assert ([info["id"] for info in page["rounds"]], page["next"]) == ([made[0].pk], None)


def test_a_head_and_a_waiting_round_are_there_however_old_they_are(
    video: Video, owner: User, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "NEWEST", 2)
    made = [done(video, owner, None, [0])]
    waits = run(video, annotator, made[0].pk)
    made += [paint(video, owner, frame) for frame in range(4)]
    state = state_of(video, Role.OWNER)
    assert [info.id for info in state.rounds] == [waits.pk, *(version.pk for version in made[-2:])]
    cancel_round(video=video, by=owner, round_id=waits.pk, may_stop_others=True)
    move_head(video=video, by=owner, from_round=made[-1].pk, to_round=made[1].pk)
    state = state_of(video, Role.OWNER)
    assert [info.id for info in state.rounds] == [version.pk for version in (made[1], *made[-2:])]
    assert state.older
    assert state.older.line.round == made[1].pk == state.head
    assert state.older.line.ahead == [(made[2].pk, made[-1].pk)]
    move_head(video=video, by=owner, from_round=made[1].pk, to_round=None)
    state = state_of(video, Role.OWNER)
    assert state.older
    assert (state.older.line.round, state.older.line.rounds) == (None, [])
    assert [first for first, _ in state.older.line.ahead][:1] == [made[0].pk]


@pytest.mark.parametrize("undone", [False, True])
def test_its_size_and_statements_do_not_grow_with_the_rounds(project: Project, owner: User, undone: bool) -> None:
    sizes, counts = [], []
    for count in (300, 3000):
        video = many_rounds(project, owner, count)
        if undone:
            Head.objects.filter(video=video).update(round=Round.objects.filter(video=video).order_by("pk")[100])
        with CaptureQueriesContext(connection) as statements:
            state = state_of(video, Role.OWNER)
        sizes.append(len(state.model_dump_json()))
        counts.append(len(statements))
    assert sizes[1] < 1.1 * sizes[0] < 120_000
    assert counts[0] == counts[1] <= 14


def test_what_it_says_of_older_rounds_grows_with_the_places_where_versions_were_undone(
    project: Project, owner: User
) -> None:
    infos = []
    for count in (300, 3000):
        video = many_rounds(project, owner, count)
        first = Round.objects.filter(video=video).order_by("pk")[0].pk
        on_line = Round.objects.filter(video=video, pk__gt=first).annotate(place=(F("pk") - first) % 2)
        on_line.filter(place=0).update(base_id=F("pk") - 2)
        Head.objects.filter(video=video).update(round_id=first + count - 2)
        state = state_of(video, Role.OWNER)
        assert state.older
        infos.append(state.older.line)
    for undone, info in zip((150, 1500), infos, strict=True):
        assert undone - 20 < len(info.rounds) <= undone
        assert len(info.model_dump_json()) < 3_000 + 20 * undone


def many_rounds(project: Project, owner: User, count: int) -> Video:
    """Create a video of 100 frames with `count` rounds on one line, each with two scribbles of 40 points.

    The table of scribbles has a row of one of the two.
    """
    video = make_video(project, owner, frame_count=100)
    path = [[index / 40, 0.5] for index in range(40)]
    mark = {"path": path, "object_id": 1, "kind": "scribble", "positive": True}
    made: list[Round] = []
    for number in range(1, count + 1):
        frame = number % 100
        made.append(
            Round(
                video=video,
                number=number,
                key=uuid4(),
                author=owner,
                frame=frame,
                scribbles=[{**mark, "frame": frame}] * 2,
                num_objects=1,
                engine="fake",
                state=RoundState.DONE,
                frames=[(0, 99)] if number % 10 == 1 else [(frame, frame)],
            )
        )
    Round.objects.bulk_create(made)
    ids = list(Round.objects.filter(video=video).order_by("pk").values_list("pk", flat=True))
    Round.objects.filter(video=video, number__gt=1).update(base_id=F("pk") - 1)
    Scribble.objects.bulk_create(
        Scribble(video=video, key=uuid4(), frame=pk % 100, object_id=1, path=path, author=owner, round_id=pk)
        for pk in ids
    )
    Head.objects.create(video=video, round_id=ids[-1], next_round_number=count + 1)
    return video
