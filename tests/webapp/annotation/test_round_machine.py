"""Property test of the states of rounds: users, workers and the sweep act in random order.

After each step, rules are checked such as "at most one round of a video runs".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.webapp.conftest import FRAMES, draw, lose_worker, make_video, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS, Claim, Lost, claim, fail, finish, store
from webapp.annotation.head import head_of
from webapp.annotation.masks import line_of, ranges_of
from webapp.annotation.models import Change, Mask, Round, RoundState, Scribble
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import cancel_round, create_round
from webapp.annotation.state import state_of
from webapp.annotation.undo import move_head
from webapp.problems import Problem
from webapp.projects.models import Project, Role

STEPS = {
    "queued": {"queued", "running", "cancelled", "superseded"},
    "running": {"running", "queued", "done", "cancelled", "superseded", "failed"},
}
frames = st.integers(0, 2)
PROJECT: list[Project] = []


def attempt(act: Callable[[], Any]) -> tuple[str | None, Any]:
    """Call `act`. Return (None, its result), or (code, None) if it raises a Problem with this code."""
    try:
        return None, act()
    except Problem as problem:
        return problem.code, None


class Rounds(RuleBasedStateMachine):
    """Hypothesis state machine: users draw, run, cancel and undo rounds of a video; workers claim, store and end them.

    Workers are lost, too. A lost worker may come back and try to write with the claim that it had.
    """

    @initialize()
    def start(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people = list(User.objects.filter(memberships__project=PROJECT[0]).order_by("pk"))
        self.video = make_video(PROJECT[0], self.people[0])
        add_object(video=self.video, author=self.people[0])
        self.claims: list[Claim] = []
        self.seen: dict[int, tuple[str, list[Any]]] = {}
        self.drawn = 0

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def rounds(self, *states: str) -> list[Round]:
        return list(Round.objects.filter(video=self.video, state__in=states or list(RoundState)).order_by("id"))

    # --- users ------------------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), frame=frames)
    def draw(self, who: int, frame: int) -> None:
        draw(self.video, self.people[who], frame)
        self.drawn += 1

    @rule(who=st.integers(0, 1), frame=frames, stale=st.sampled_from([False, False, False, True]))
    def run(self, who: int, frame: int, stale: bool) -> None:
        self.draw(who, frame)
        head = head_of(self.video.pk)
        base = None if stale and head else head
        problem, made = attempt(
            lambda: create_round(
                video=self.video, author=self.people[who], key=uuid4(), frames=[frame], engine="fake", base=base
            )
        )
        if problem:
            assert problem == "conflict"
            assert base != head
        else:
            assert base == head
            assert head_of(self.video.pk) == made.pk

    @precondition(lambda self: self.rounds("queued", "running"))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(self.rounds("queued", "running")))
        cancel_round(video=self.video, by=self.people[0], round_id=target.pk, may_stop_others=True)

    @precondition(lambda self: self.rounds("done", "cancelled", "superseded", "failed"))
    @rule(data=st.data(), who=st.integers(0, 1))
    def move(self, data: st.DataObject, who: int) -> None:
        target = data.draw(st.sampled_from([None, *(round_.pk for round_ in self.rounds())]))
        head = head_of(self.video.pk)
        by, before = self.people[who], self.rounds()
        line = line_of(target)
        theirs = [
            round_ for round_ in self.rounds("queued", "running") if round_.author_id != by.pk and round_.pk not in line
        ]
        spared = [round_ for round_ in theirs if not round_.cancel_requested and round_.superseded_by_id is None]
        problem, _ = attempt(lambda: move_head(video=self.video, by=by, from_round=head, to_round=target))
        if problem == "forbidden":
            assert who == 1, "the owner may stop anybody's round"
            assert spared
        elif problem is None:
            assert who == 0 or not spared or head == target
        if problem:
            assert problem in ("empty_round", "forbidden")
            assert head_of(self.video.pk) == head
            assert [round_.state for round_ in self.rounds()] == [round_.state for round_ in before]
        else:
            assert head_of(self.video.pk) != head or target == head

    # --- workers ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.rounds("queued"))
    @rule()
    def claim_what_waits(self) -> None:
        self.take(self.rounds("queued")[0])

    @precondition(lambda self: self.rounds())
    @rule(data=st.data())
    def claim_anything(self, data: st.DataObject) -> None:
        self.take(data.draw(st.sampled_from(self.rounds())))

    def take(self, target: Round) -> None:
        first = [round_.pk for round_ in self.rounds("queued")][:1]
        free = [target.pk] == first and not self.rounds("running")
        claimed = claim(target.pk, "worker")
        assert (claimed is not None) == free
        if claimed:
            self.claims.append(claimed)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), frame=st.integers(0, FRAMES - 1))
    def store(self, data: st.DataObject, frame: int) -> None:
        mine = data.draw(st.sampled_from(self.claims[-3:]))
        if Mask.objects.filter(round_id=mine.round_id, frame=frame).exists():
            return
        before = Mask.objects.count()
        row = Round.objects.get(pk=mine.round_id)
        valid = row.fence == mine.fence and row.state == RoundState.RUNNING
        try:
            goes_on = store(mine, [some_mask(frame)])
        except Lost:
            assert not valid
            assert Mask.objects.count() == before
        else:
            assert valid
            assert goes_on == (not row.cancel_requested and row.superseded_by_id is None)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(["complete", "stopped", "failed"]))
    def end(self, data: st.DataObject, how: str) -> None:
        mine = data.draw(st.sampled_from(self.claims[-3:]))
        row = Round.objects.get(pk=mine.round_id)
        valid = row.fence == mine.fence and row.state == RoundState.RUNNING
        try:
            if how == "failed":
                fail(mine, code="out_of_memory", text="Memory ran out.")
            else:
                finish(mine, complete=how == "complete")
        except Lost:
            assert not valid
        else:
            assert valid

    @precondition(lambda self: self.rounds("running"))
    @rule()
    def lose_the_worker(self) -> None:
        (running,) = self.rounds("running")
        attempts, wanted = running.attempts, not running.cancel_requested
        after = lose_worker(ROUNDS, running)
        if running.superseded_by_id:
            assert after == RoundState.SUPERSEDED
        elif not wanted:
            assert after == RoundState.CANCELLED
        else:
            assert after == (RoundState.FAILED if attempts >= ROUNDS.limits.max_attempts else RoundState.QUEUED)

    # --- invariants -------------------------------------------------------------------------------------------------

    @invariant()
    def one_round_runs_and_one_of_each_person_waits_at_most(self) -> None:
        assert len(self.rounds("running")) <= 1
        authors = [round_.author_id for round_ in self.rounds("queued") if round_.superseded_by_id is None]
        assert len(authors) == len(set(authors))

    @invariant()
    def states_follow_the_arrows_and_ends_are_final(self) -> None:
        for round_ in self.rounds():
            state, masks = self.seen.get(round_.pk, ("queued", []))
            now = list(Mask.objects.filter(round=round_).order_by("id").values_list("frame", flat=True))
            if state in STEPS:
                assert round_.state in STEPS[state]
                assert now[: len(masks)] == masks, "a stored mask was lost"
            else:
                assert (round_.state, now) == (state, masks)
            if round_.ended:
                assert [tuple(span) for span in round_.frames] == ranges_of(round_.pk)
            self.seen[round_.pk] = (round_.state, now)

    @invariant()
    def no_scribble_is_lost_or_doubled(self) -> None:
        assert Scribble.objects.filter(video=self.video).count() == self.drawn
        for round_ in self.rounds():
            used = [scribble.path for scribble in round_.drawn_scribbles.order_by("id")]
            if used:
                assert sorted(map(str, used)) == sorted(str(scribble["path"]) for scribble in round_.scribbles)
        for round_ in self.rounds("cancelled", "superseded", "failed"):
            assert round_.frames or not round_.drawn_scribbles.exists(), (
                "scribbles are kept by a round that nothing uses"
            )

    @invariant()
    def the_line_of_the_head_is_sound(self) -> None:
        line = line_of(head_of(self.video.pk))
        assert line == sorted(line)
        for round_ in self.rounds("cancelled", "superseded", "failed"):
            assert round_.frames or round_.pk not in line, "engines do not learn of a round without masks"
        for round_ in self.rounds("queued", "running"):
            assert round_.pk in line or round_.cancel_requested or round_.superseded_by_id

    @invariant()
    def who_replays_the_log_has_the_state(self) -> None:
        rounds: dict[int, Any] = {}
        waiting: set[str] = set()
        head = None
        for message in Change.objects.filter(video=self.video).values_list("message", flat=True):
            match message["type"]:
                case "round.changed":
                    rounds[message["round"]["id"]] = message["round"]
                case "scribble.added":
                    waiting.add(message["scribble"]["key"])
                case "scribble.removed":
                    waiting -= set(message["keys"])
                case "head.moved":
                    head = message["head"]
        state = state_of(self.video, Role.OWNER)
        assert head == state.head
        assert waiting == {scribble.key for scribble in state.scribbles}
        fields = ("state", "base", "cancel_requested", "error")
        for round_ in state.rounds:
            told = rounds[round_.id]
            assert {name: told[name] for name in fields} == {name: getattr(round_, name) for name in fields}
            assert len(told["scribbles"]) == len(round_.scribbles)
            if round_.state not in STEPS:
                assert [tuple(span) for span in told["frames"]] == round_.frames


def test_rounds_keep_their_promises(
    project: Project, owner: User, annotator: User, sent_tasks: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.PROJECT", [project])
    budget = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Rounds, settings=budget)
