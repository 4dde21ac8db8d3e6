"""Tests of receipts, by which a message of a page or script that arrives twice takes effect once."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.models import Object, Receipt
from webapp.annotation.objects import add_object
from webapp.annotation.receipts import KEPT, forget_old, once
from webapp.problems import Problem
from webapp.videos.models import Video


def test_the_second_time_gives_the_same_result_and_does_nothing(video: Video, owner: User) -> None:
    key = uuid4()
    results = [
        once(key=key, video=video, author=owner, act=lambda: add_object(video=video, author=owner).number)
        for _ in range(2)
    ]
    assert results == [2, 2]
    assert Object.objects.count() == 2


def test_what_was_refused_may_be_tried_again(video: Video, owner: User) -> None:
    key = uuid4()

    def refuse() -> int:
        raise Problem("no", "Not now.")

    with pytest.raises(Problem):
        once(key=key, video=video, author=owner, act=refuse)
    assert once(key=key, video=video, author=owner, act=lambda: 7) == 7


def test_a_key_belongs_to_its_author_and_video(video: Video, owner: User, annotator: User) -> None:
    key = uuid4()
    once(key=key, video=video, author=owner, act=lambda: 1)
    other = make_video(video.project, owner)
    for author, place in ((annotator, video), (owner, other)):
        with pytest.raises(Problem) as problem:
            once(key=key, video=place, author=author, act=lambda: pytest.fail("acted"))
        assert problem.value.code == "key_taken"


@pytest.mark.django_db(transaction=True)
def test_two_connections_at_once_take_effect_once(video: Video, owner: User, sent_tasks: list) -> None:
    key, results, start = uuid4(), [], threading.Barrier(3)

    def send() -> None:
        try:
            start.wait()
            result = once(key=key, video=video, author=owner, act=lambda: add_object(video=video, author=owner).number)
            results.append(result)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [2, 2, 2]
    assert Object.objects.count() == 2


def test_old_receipts_are_forgotten(video: Video, owner: User) -> None:
    for _ in range(2):
        once(key=uuid4(), video=video, author=owner, act=lambda: None)
    old = Receipt.objects.first()
    assert old is not None
    Receipt.objects.filter(pk=old.pk).update(created_at=old.created_at - KEPT - timedelta(days=1))
    assert forget_old() == 1
    assert Receipt.objects.count() == 1
