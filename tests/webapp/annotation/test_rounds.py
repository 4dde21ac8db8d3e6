"""Tests of how rounds are created and end, and of what becomes of their scribbles and of other rounds."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.webapp.conftest import draw, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, fail, finish, store
from webapp.annotation.head import head_of
from webapp.annotation.models import Change, Object, Round, RoundState, Scribble
from webapp.annotation.rounds import Reach, cancel_round, create_round
from webapp.annotation.scribbles import remove_scribble, waiting
from webapp.problems import Forbidden, NotFound, Problem
from webapp.videos.models import Video, VideoState


def states(video: Video) -> list[str]:
    return list(Round.objects.filter(video=video).order_by("number").values_list("state", flat=True))


def code_of(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.code


def test_a_round_takes_ones_own_waiting_scribbles_of_its_frame(video: Video, owner: User, annotator: User) -> None:
    first, second = draw(video, annotator), draw(video, annotator, number=0)
    elsewhere, others = draw(video, annotator, frame=3), draw(video, owner)
    made = create_round(video=video, author=annotator, key=uuid4(), frames=[0], engine="flow", base=None)
    assert [scribble["object_id"] for scribble in made.scribbles] == [1, 0]
    assert made.scribbles[0]["path"] == first.path
    assert set(made.drawn_scribbles.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert set(Scribble.objects.filter(round=None).values_list("pk", flat=True)) == {elsewhere.pk, others.pk}
    assert (made.number, made.base_id, made.num_objects, made.state) == (1, None, 1, RoundState.QUEUED)
    assert head_of(video.pk) == made.pk


def test_scribbles_of_deleted_objects_wait_on(video: Video, owner: User) -> None:
    draw(video, owner)
    Object.objects.filter(video=video).update(deleted_at=video.created_at)
    with pytest.raises(Problem) as problem:
        create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="flow", base=None)
    assert code_of(problem) == "no_scribbles"
    assert Scribble.objects.filter(round=None, deleted_at=None).count() == 1


def test_the_same_key_makes_one_round(video: Video, owner: User) -> None:
    draw(video, owner)
    key = uuid4()
    first = create_round(video=video, author=owner, key=key, frames=[0], engine="flow", base=None)
    again = create_round(video=video, author=owner, key=key, frames=[0], engine="flow", base=None)
    assert first.pk == again.pk
    assert Round.objects.count() == 1


def test_an_older_base_is_a_conflict_that_keeps_the_scribbles(video: Video, owner: User, annotator: User) -> None:
    theirs = run(video, owner, None)
    draw(video, annotator)
    with pytest.raises(Problem) as problem:
        create_round(video=video, author=annotator, key=uuid4(), frames=[0], engine="flow", base=None)
    assert code_of(problem) == "conflict"
    assert problem.value.extra == {"head": theirs.pk}
    assert len(waiting(video, annotator, [0])) == 1
    made = create_round(video=video, author=annotator, key=uuid4(), frames=[0], engine="flow", base=theirs.pk)
    assert made.number == 2


@pytest.mark.parametrize(
    ("frame", "state", "code"),
    [
        (99, VideoState.READY, "bad_frame"),
        (0, VideoState.IMPORTING, "not_ready"),
        (1, VideoState.READY, "no_scribbles"),
    ],
)
def test_it_refuses_what_cannot_run(video: Video, owner: User, frame: int, state: str, code: str) -> None:
    draw(video, owner)
    video.state = state
    with pytest.raises(Problem) as problem:
        create_round(video=video, author=owner, key=uuid4(), frames=[frame], engine="flow", base=None)
    assert code_of(problem) == code
    assert Round.objects.count() == 0


def test_a_newer_round_supersedes_one_that_waits(video: Video, owner: User) -> None:
    first = run(video, owner, None, frame=2)
    second = run(video, owner, first.pk, frame=5)
    second.refresh_from_db()
    assert states(video) == ["superseded", "queued"]
    assert second.base_id is None, "a round without masks is no base: engines do not learn of it"
    assert len(waiting(video, owner, [2])) == 1, "and its scribbles wait again"


def test_scribbles_of_a_round_that_never_ran_go_into_the_next_one_of_its_frame(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    second = run(video, owner, first.pk)
    second.refresh_from_db()
    assert len(second.scribbles) == 2
    assert second.base_id is None
    assert second.drawn_scribbles.count() == 2


def test_a_round_waits_for_those_of_other_people(video: Video, owner: User, annotator: User) -> None:
    theirs = run(video, annotator, None)
    claimed = claim(theirs.pk, "w")
    assert claimed
    mine = run(video, owner, theirs.pk, frame=3)
    assert states(video) == ["running", "queued"]
    assert store(claimed, [some_mask(0)]), "nobody asks the running round to stop"
    assert claim(mine.pk, "w") is None
    assert finish(claimed, complete=True) == RoundState.DONE
    assert claim(mine.pk, "w"), "it starts without another request of its author"


def test_a_round_that_supersedes_nothing_waits_for_those_of_the_same_person(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    draw(video, owner, frame=3)
    second = create_round(
        video=video,
        author=owner,
        key=uuid4(),
        frames=[3],
        engine="fake",
        base=first.pk,
        reach=Reach(supersedes=False),
    )
    assert states(video) == ["queued", "queued"]
    assert second.base_id == first.pk


def test_a_newer_round_asks_a_running_one_to_stop(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    claimed = claim(first.pk, "w")
    assert claimed
    assert store(claimed, [some_mask(0)])
    second = run(video, owner, first.pk)
    assert states(video) == ["running", "queued"]
    assert not store(claimed, [some_mask(1)]), "the worker is told"
    assert claim(second.pk, "w") is None, "one round of a video runs at a time"
    assert finish(claimed, complete=False) == RoundState.SUPERSEDED
    first.refresh_from_db()
    assert first.frames == [[0, 1]]
    assert claim(second.pk, "w")
    second.refresh_from_db()
    assert second.base_id == first.pk
    assert len(second.scribbles) == 1


def test_a_running_round_that_stops_before_its_first_mask_passes_its_scribbles_on(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    claimed = claim(first.pk, "w")
    assert claimed
    second = run(video, owner, first.pk)
    finish(claimed, complete=False)
    second.refresh_from_db()
    assert len(second.scribbles) == 2
    assert second.base_id is None


def test_cancelling_a_round_that_waits_gives_its_scribbles_back(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    cancel_round(video=video, by=owner, round_id=made.pk, may_stop_others=False)
    assert states(video) == ["cancelled"]
    assert head_of(video.pk) is None
    assert len(waiting(video, owner, [0])) == 1
    assert Change.objects.filter(message__type="scribble.added").count() == 2


def test_cancelling_a_running_round_keeps_what_it_finished(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    claimed = claim(made.pk, "w")
    assert claimed
    store(claimed, [some_mask(0), some_mask(1)])
    cancel_round(video=video, by=owner, round_id=made.pk, may_stop_others=False)
    assert states(video) == ["running"]
    assert not store(claimed, [some_mask(2)])
    assert finish(claimed, complete=False) == RoundState.CANCELLED
    made.refresh_from_db()
    assert made.frames == [[0, 2]]
    assert head_of(video.pk) == made.pk
    assert len(waiting(video, owner, [0])) == 0


def test_cancelling_what_has_ended_changes_nothing(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    claimed = claim(made.pk, "w")
    assert claimed
    finish(claimed, complete=True)
    before = Change.objects.count()
    cancel_round(video=video, by=owner, round_id=made.pk, may_stop_others=False)
    assert states(video) == ["done"]
    assert Change.objects.count() == before


def test_only_reviewers_cancel_rounds_of_others(video: Video, owner: User, annotator: User) -> None:
    made = run(video, owner, None)
    with pytest.raises(Forbidden):
        cancel_round(video=video, by=annotator, round_id=made.pk, may_stop_others=False)
    assert states(video) == ["queued"]
    cancel_round(video=video, by=annotator, round_id=made.pk, may_stop_others=True)
    assert states(video) == ["cancelled"]
    with pytest.raises(NotFound):
        cancel_round(video=video, by=annotator, round_id=999, may_stop_others=True)


def test_a_failed_round_gives_its_scribbles_back_and_says_why(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    claimed = claim(first.pk, "w")
    assert claimed
    finish(claimed, complete=True)
    second = run(video, owner, first.pk, frame=3)
    claimed = claim(second.pk, "w")
    assert claimed
    store(claimed, [some_mask(3)])
    fail(claimed, code="out_of_memory", text="Memory ran out.")
    second.refresh_from_db()
    assert (second.state, second.error_code, second.error) == ("failed", "out_of_memory", "Memory ran out.")
    assert head_of(video.pk) == first.pk
    assert len(waiting(video, owner, [3])) == 1


def test_a_used_scribble_is_not_removed(video: Video, owner: User, annotator: User) -> None:
    scribble = draw(video, owner)
    with pytest.raises(Forbidden):
        remove_scribble(video=video, author=annotator, key=scribble.key)
    create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="flow", base=None)
    with pytest.raises(Problem) as problem:
        remove_scribble(video=video, author=owner, key=scribble.key)
    assert code_of(problem) == "scribble_used"


@pytest.mark.django_db(transaction=True)
def test_a_new_round_notifies_the_worker_once_it_is_stored(
    video: Video, owner: User, sent_tasks: list[tuple[str, list[int]]]
) -> None:
    made = run(video, owner, None)
    assert sent_tasks == [("inference.run_round", [made.pk])]
