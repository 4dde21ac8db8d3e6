"""Tests of two people who change the same thing at the same moment, on Postgres: the second waits, and then sees it.

SQLite has one writer at a time, so these tests run only where tests/webapp/test_postgres.py starts them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.conftest import make_project, make_user
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.models import Head
from webapp.jobs import assigning
from webapp.jobs.assigning import deal, take_one
from webapp.jobs.models import Job, JobState, Stage
from webapp.jobs.moves import move_job
from webapp.jobs.states import Action
from webapp.long_transactions import allow_silence
from webapp.overview import actions
from webapp.overview.actions import Action as ManyAction
from webapp.overview.actions import Values, act_on_many
from webapp.problems import Problem
from webapp.projects.members import change_role, remove
from webapp.projects.models import Membership, Project, Role, Team
from webapp.projects.teams import delete_team, invite_team, make_team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
    pytest.mark.usefixtures("sent_tasks"),
]
Act = Callable[[], Any]


class Cast:
    """A project with an owner, to which `pair` adds two members with a role, and as many videos as a test needs."""

    def __init__(self, videos: int = 0) -> None:
        self.owner = self.person("owner")
        self.project: Project = make_project("Reef", self.owner)
        self.videos = [make_video(self.project, self.owner) for _ in range(videos)]

    def person(self, name: str) -> User:
        return make_user(f"{name}-{uuid4().hex[:8]}")

    def pair(self, role: Role) -> tuple[User, User]:
        pair = self.person(role), self.person(role)
        for user in pair:
            Membership.objects.create(project=self.project, user=user, role=role)
        return pair

    def assignees(self) -> Counter[int | None]:
        return Counter(Job.objects.filter(video__project=self.project).values_list("assignee", flat=True))


def outcome(act: Act) -> Any:
    """Return what `act` returns, or the code of the Problem with which it is refused."""
    try:
        return act()
    except Problem as problem:
        return problem.code


def holds_somebody_up() -> bool:
    """Return whether another connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def race(first: Act, second: Act) -> list[Any]:
    """Do `first` in a transaction that is committed when `second` waits for it or has ended. Return both outcomes."""
    outcomes: list[Any] = [None, None]
    done = threading.Event()

    def begin_second() -> None:
        done.wait(20)
        try:
            outcomes[1] = outcome(second)
        finally:
            connection.close()

    thread = threading.Thread(target=begin_second)
    thread.start()
    with transaction.atomic():
        outcomes[0] = outcome(first)
        done.set()
        until = time.monotonic() + 20
        while thread.is_alive() and not holds_somebody_up() and time.monotonic() < until:
            thread.join(0.005)
    thread.join(20)
    assert not thread.is_alive()
    return outcomes


def at_once(*acts: Act) -> list[Any]:
    """Do all at the same moment, each in a thread, and return their outcomes."""
    outcomes: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(index: int, act: Act) -> None:
        ready.wait(20)
        try:
            outcomes[index] = outcome(act)
        except Exception as error:  # It is compared with what the test expects.
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_a_transaction_that_copies_files_may_be_silent_and_the_next_one_may_not() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '30s'")
        found = []
        with transaction.atomic():
            allow_silence()
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            found += cursor.fetchone()
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert [*found, *cursor.fetchone()] == ["0", "30s"]


def test_of_two_last_owners_who_go_at_once_one_stays() -> None:
    cast = Cast()
    (second, third) = cast.pair(Role.OWNER)
    remove(by=cast.owner, project_id=cast.project.pk, user_id=cast.owner.pk)

    def leave() -> None:
        remove(by=second, project_id=cast.project.pk, user_id=second.pk)

    def step_down() -> None:
        change_role(by=third, project_id=cast.project.pk, user_id=third.pk, role=Role.VIEWER)

    assert race(leave, step_down) == [None, "last_owner"]
    assert list(Membership.objects.filter(project=cast.project).values_list("user", "role")) == [(third.pk, "owner")]


def two_administrators() -> list[User]:
    """Create two accounts, and make them the only administrators of the site."""
    User.objects.filter(is_superuser=True).update(is_superuser=False)
    pair = [make_user(f"admin-{uuid4().hex[:8]}") for _ in range(2)]
    User.objects.filter(pk__in=[user.pk for user in pair]).update(is_superuser=True)
    return pair


def deactivating(by: User, user: User) -> Act:
    """Return a function by which the administrator `by` deactivates an account on the admin page.

    The function returns the status of the response.
    """
    client = Client()
    client.force_login(by)
    body = {"action": "deactivate", "_selected_action": [user.pk]}
    return lambda: client.post("/admin/accounts/user/", body).status_code


def test_of_two_owners_who_are_deactivated_or_leave_at_once_one_stays() -> None:
    cast = Cast()
    (second, third) = cast.pair(Role.OWNER)
    admins = two_administrators()
    owners = Membership.objects.filter(project=cast.project, role=Role.OWNER, user__is_active=True)

    def leave() -> None:
        remove(by=third, project_id=cast.project.pk, user_id=third.pk)

    remove(by=cast.owner, project_id=cast.project.pk, user_id=cast.owner.pk)
    assert race(deactivating(admins[0], second), leave) == [302, "last_owner"]
    User.objects.filter(pk=second.pk).update(is_active=True)
    assert race(deactivating(admins[0], second), deactivating(admins[1], third)) == [302, 302]
    assert list(owners.values_list("user", flat=True)) == [third.pk]


def test_of_two_administrators_who_deactivate_each_other_at_once_one_stays() -> None:
    pair = two_administrators()
    assert race(deactivating(pair[0], pair[1]), deactivating(pair[1], pair[0])) == [302, 302]
    left = User.objects.filter(is_superuser=True, is_active=True)
    assert list(left) == [pair[0]]


def test_two_deals_at_once_give_each_job_once_and_nobody_too_many() -> None:
    cast = Cast(videos=5)
    people = cast.pair(Role.ANNOTATOR)

    def share_out() -> int:
        ids = [user.pk for user in people]
        return len(deal(by=cast.owner, project_id=cast.project.pk, people=ids, most_open=2))

    assert race(share_out, share_out) == [4, 0]
    assert cast.assignees() == {people[0].pk: 2, people[1].pk: 2, None: 1}


def test_two_people_who_take_from_the_pool_at_once_get_different_jobs() -> None:
    cast = Cast(videos=2)
    takers = cast.pair(Role.ANNOTATOR)
    taken = race(*(lambda user=user: take_one(by=user, project_id=cast.project.pk).video_id for user in takers))
    assert sorted(taken) == [video.pk for video in cast.videos]
    last = race(*(lambda user=user: take_one(by=user, project_id=cast.project.pk) for user in takers))
    assert last == ["pool_empty", "pool_empty"]


def test_a_deal_goes_on_after_others_took_a_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(videos=4)
    dealing, taking = cast.pair(Role.ANNOTATOR)
    real = assigning.hold_all
    taken: list[int] = []

    def hold_late(video_ids: Collection[int]) -> None:
        """Let somebody else take the batch between its choice and the locks of its heads."""
        if not taken:
            taken.append(Job.objects.filter(video__in=video_ids).update(assignee=taking))
        real(video_ids)

    monkeypatch.setattr(assigning, "BATCH", 2)
    monkeypatch.setattr(assigning, "hold_all", hold_late)
    assert len(deal(by=cast.owner, project_id=cast.project.pk, people=[dealing.pk])) == 2
    assert cast.assignees() == {dealing.pk: 2, taking.pk: 2}


def test_who_takes_a_job_keeps_no_head_locked_while_it_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast(videos=2)
    taker, other = cast.pair(Role.ANNOTATOR)
    real = assigning.hold
    held: list[tuple[int, int]] = []

    def hold(video_id: int) -> Head:
        held.append((video_id, current_transaction()))
        if len(held) == 1:
            Job.objects.filter(video=video_id).update(assignee=other)  # As if somebody had been quicker.
        return real(video_id)

    monkeypatch.setattr(assigning, "hold", hold)
    take_one(by=taker, project_id=cast.project.pk)
    assert [video_id for video_id, _ in held] == [video.pk for video in cast.videos]
    assert len({transaction_id for _, transaction_id in held}) == 2


def current_transaction() -> int:
    """Return the number of the transaction of Postgres in which this is called."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current()")
        return int(cursor.fetchone()[0])


def test_of_two_reviewers_at_once_the_second_is_told_how_the_job_stands() -> None:
    cast = Cast(videos=1)
    reviewers = cast.pair(Role.REVIEWER)
    Job.objects.update(stage=Stage.VALIDATION, state=JobState.IN_PROGRESS)
    job = Job.objects.get(video=cast.videos[0])

    def decide(user: User, action: Action) -> Act:
        return lambda: move_job(by=user, job_id=job.pk, action=action, edition=job.edition).state

    accepted, refused = race(decide(reviewers[0], Action.ACCEPT), decide(reviewers[1], Action.REJECT))
    assert (accepted, refused) == ("completed", "job_changed")
    job.refresh_from_db()
    assert (job.stage, job.state, job.events.count()) == ("acceptance", "completed", 1)


def test_deals_and_actions_on_many_videos_at_once_never_wait_for_each_other_in_a_circle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assigning, "BATCH", 4)
    monkeypatch.setattr(actions, "BATCH", 3)
    cast = Cast(videos=12)
    people = cast.pair(Role.ANNOTATOR)
    ids = [video.pk for video in cast.videos]
    at = {"by": cast.owner, "project_id": cast.project.pk}

    def assign(user: User, order: int) -> Act:
        values = Values(person=user.pk)
        return lambda: act_on_many(**at, ids=ids[::order], action=ManyAction.ASSIGN, values=values)  # type: ignore[arg-type]

    def share_out() -> int:
        return len(deal(**at, people=[user.pk for user in people]))  # type: ignore[arg-type]

    done = at_once(assign(people[0], 1), assign(people[1], -1), share_out)
    assert all(isinstance(count, int) or count == "job_changed" for count in done), done
    assert cast.assignees()[None] == 0
    assert sum(cast.assignees().values()) == 12


def test_a_team_that_is_made_and_invited_twice_at_once_is_there_once() -> None:
    cast = Cast()
    people = cast.person("ann"), cast.person("bob")

    def make() -> Team:
        return make_team(by=cast.owner, name="Night shift", usernames=[user.username for user in people])

    team, refused = race(make, make)
    assert refused == "name_taken"

    def invite() -> int:
        at = {"project_id": cast.project.pk, "team_id": team.pk}
        return len(invite_team(by=cast.owner, role=Role.VIEWER, **at))

    assert race(invite, invite) == [2, 0]
    assert race(lambda: delete_team(by=cast.owner, team_id=team.pk), invite) == [None, "not_found"]
