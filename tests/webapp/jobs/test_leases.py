"""Tests of leases: who draws on an object holds it until 30 s after the last stroke."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from tests.webapp.live.test_within_jobs import PATH, refused, send
from webapp.accounts.models import User
from webapp.annotation.models import Scribble
from webapp.annotation.objects import add_object
from webapp.jobs.leases import leases_of, release_connection, take
from webapp.jobs.models import ObjectLease
from webapp.live.actions import perform
from webapp.live.client_messages import ScribbleAdd
from webapp.notifications.models import Notification
from webapp.projects.models import Membership
from webapp.videos.models import Video

KEY = "6f1b0c1e-5a63-4f0c-9d4e-0e6c5a1b2c3d"


def draw(user: User, video: Video, number: int = 1) -> None:
    send(user, video, "scribble.add", frame=0, object=number, path=PATH)


def fence(video: Video) -> int:
    return ObjectLease.objects.get(video=video, object_id=1).fence


def test_who_draws_on_an_object_holds_it(video: Video, annotator: User, reviewer: User) -> None:
    draw(annotator, video)
    problem = refused(reviewer, video, "scribble.add", frame=0, object=1, path=PATH)
    assert (problem.code, problem.status) == ("held", 409)
    assert problem.text.startswith("Annotator draws on Fish now.")
    assert [(lease.object, lease.holder.name) for lease in leases_of(video.pk)] == [(1, "Annotator")]
    ObjectLease.objects.update(expires=Now() - timedelta(seconds=1))
    assert leases_of(video.pk) == []
    draw(reviewer, video)
    assert Scribble.objects.count() == 2


def test_people_draw_on_different_objects_and_on_the_background(video: Video, annotator: User, reviewer: User) -> None:
    second = add_object(video=video, author=annotator).number
    draw(annotator, video)
    draw(reviewer, video, second)
    draw(annotator, video, 0)
    draw(reviewer, video, 0)
    assert [(lease.object, lease.holder.name) for lease in leases_of(video.pk)] == [(1, "Annotator"), (2, "Reviewer")]


def test_edits_need_all_their_objects(video: Video, annotator: User, reviewer: User) -> None:
    second = add_object(video=video, author=annotator).number
    draw(annotator, video, second)
    edit = {"op": "split", "objects": [1], "into": second, "first": 0, "last": 2}
    assert refused(reviewer, video, "mask.edit", **edit).code == "held"
    assert refused(reviewer, video, "span.absent", object=second, first=0, last=1, absent=True).code == "held"


def test_a_stroke_renews_a_lease_and_another_page_of_its_holder_raises_the_fence(video: Video, annotator: User) -> None:
    draw(annotator, video)
    ObjectLease.objects.update(expires=Now() + timedelta(seconds=1))
    draw(annotator, video)
    assert fence(video) == 1
    assert ObjectLease.objects.filter(expires__gt=Now() + timedelta(seconds=25)).exists()
    message = ScribbleAdd(type="scribble.add", key=KEY, frame=0, object=1, path=[(0.1, 0.2)])
    perform(annotator, video.pk, message, "page")
    assert fence(video) == 2
    release_connection(video.pk, "another page")
    assert len(leases_of(video.pk)) == 1
    release_connection(video.pk, "page")
    assert leases_of(video.pk) == []


def test_a_manager_takes_over_and_others_ask(video: Video, annotator: User, reviewer: User, manager: User) -> None:
    draw(annotator, video)
    assert refused(reviewer, video, "lease.take", object=1).code == "held"
    assert refused(reviewer, video, "lease.take", object=1, over=True).code == "forbidden"
    send(reviewer, video, "lease.ask", object=1)
    assert [lease.asked_by and lease.asked_by.name for lease in leases_of(video.pk)] == ["Reviewer"]
    assert Notification.objects.get(user=annotator).text == "Reviewer asks for Fish in reef.mp4."
    send(manager, video, "lease.take", object=1, over=True)
    assert refused(annotator, video, "scribble.add", frame=0, object=1, path=PATH).code == "held"
    assert fence(video) == 2
    send(manager, video, "lease.release", object=1)
    draw(annotator, video)


def test_what_nobody_holds_is_neither_asked_for_nor_released(video: Video, annotator: User, reviewer: User) -> None:
    assert refused(reviewer, video, "lease.ask", object=1).code == "not_held"
    assert refused(reviewer, video, "lease.take", object=9).code == "not_found"
    take(video=video, by=annotator, connection="", number=1)
    send(reviewer, video, "lease.release", object=1)
    assert [lease.holder.name for lease in leases_of(video.pk)] == ["Annotator"]


def test_who_asks_twice_is_told_of_once_and_who_left_not_at_all(
    video: Video, annotator: User, reviewer: User, manager: User
) -> None:
    draw(annotator, video)
    for _ in range(2):
        send(reviewer, video, "lease.ask", object=1)
    assert Notification.objects.filter(user=annotator).count() == 1
    Membership.objects.filter(user=annotator).delete()
    send(manager, video, "lease.ask", object=1)
    assert Notification.objects.filter(user=annotator).count() == 1
