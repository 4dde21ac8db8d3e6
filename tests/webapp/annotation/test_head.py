"""Tests of the locks of several videos at once."""

from __future__ import annotations

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.head import hold_all
from webapp.annotation.models import Head
from webapp.projects.models import Project


def test_the_heads_of_several_videos_are_locked_by_their_ids_and_nothing_else(project: Project, owner: User) -> None:
    ids = [make_video(project, owner).pk for _ in range(3)]
    for _ in range(2):
        with (
            CaptureQueriesContext(
                connection,
            ) as made,
            transaction.atomic(),
        ):
            hold_all(ids[::-1])
    assert list(Head.objects.order_by("pk").values_list("video", flat=True)) == ids
    locking = made.captured_queries[-1]["sql"] if "ORDER BY" in made.captured_queries[-1]["sql"] else made[-2]["sql"]
    assert locking.endswith('ORDER BY "annotation_head"."video_id" ASC')
    assert "JOIN" not in locking
