"""Tests of the short description of a line of versions (line.py), and of the scribbles of a line in pages."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, draw, make_video, painted, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, store
from webapp.annotation.head import head_of
from webapp.annotation.line import Versions
from webapp.annotation.masks import effective
from webapp.annotation.models import Mask, Round
from webapp.annotation.objects import add_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.rounds import create_round
from webapp.annotation.undo import move_head
from webapp.projects.models import Project
from webapp.videos.models import Video


def paint(video: Video, author: User, frame: int, number: int = 1) -> Round:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[2:9, 3:8] = 1
    return paint_mask(
        video=video, author=author, key=uuid4(), frame=frame, object_id=number, data=painted(labels), over="all"
    )


def test_masks_are_those_that_the_frames_have_at_the_round(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1, 2, 3, 6])
    second = done(video, owner, first.pk, [2])
    third = done(video, owner, second.pk, [3, 4])
    for tip in (None, first.pk, second.pk, third.pk):
        made = {
            frame: round_ for start, end, round_ in Versions(video).info(tip).masks for frame in range(start, end + 1)
        }
        rows = Mask.objects.in_bulk(effective(video.pk, tip).values())
        assert made == {row.frame: row.round_id for row in rows.values()}
    assert Versions(video).info(third.pk).masks == [
        (0, 1, first.pk),
        (2, 2, second.pk),
        (3, 4, third.pk),
        (6, 6, first.pk),
    ]


def test_a_running_round_has_the_masks_that_it_stored_so_far(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    assert Versions(video).info(made.pk).masks == []
    claimed = claim(made.pk, "w")
    assert claimed
    store(claimed, [some_mask(0), some_mask(1)])
    assert Versions(video).info(made.pk).masks == [(0, 1, made.pk)]
    assert Versions(video).info(None).ahead == [(made.pk, made.pk)]


def test_undone_versions_are_no_part_of_it_and_redo_leads_to_the_newest_with_masks(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    undone = done(video, owner, first.pk, [1])
    move_head(video=video, by=owner, from_round=undone.pk, to_round=first.pk)
    second = done(video, owner, first.pk, [2])
    third = done(video, owner, second.pk, [3])
    assert Versions(video).info(third.pk).rounds == [(first.pk, first.pk), (second.pk, third.pk)]
    assert Versions(video).info(first.pk).ahead == [(second.pk, third.pk)]
    assert Versions(video).info(None).ahead == [(first.pk, first.pk), (second.pk, third.pk)]
    assert Versions(video).info(undone.pk).ahead == []
    waits = run(video, owner, third.pk)  # It has no mask yet, so redo does not lead to it.
    assert Versions(video).info(third.pk).ahead == []
    assert Versions(video).info(waits.pk).rounds[-1] == (second.pk, waits.pk)


def test_it_says_what_was_drawn_and_painted_where(video: Video, owner: User, annotator: User) -> None:
    add_object(video=video, author=owner)
    draw(video, owner, frame=5, number=2)
    draw(video, owner, frame=0, number=0)
    draw(video, owner, frame=0)
    create_round(video=video, author=owner, key=uuid4(), frames=[0, 5], engine="fake", base=None)
    paint(video, owner, 3)
    info = Versions(video).info(head_of(video.pk))
    assert (info.drawn, info.scribbled) == ([(0, 0), (5, 5)], {0: [(0, 0)], 1: [(0, 0)], 2: [(5, 5)]})
    assert (info.painted, info.painted_since) == ({1: [(3, 3)]}, {owner.pk: [(3, 3)]})
    paint(video, annotator, 4, number=2)
    paint(video, annotator, 5, number=2)
    info = Versions(video).info(head_of(video.pk))
    assert info.painted == {1: [(3, 3)], 2: [(4, 5)]}
    assert info.painted_since == {owner.pk: [(3, 3)], annotator.pk: [(4, 5)]}
    run(video, annotator, head_of(video.pk), frame=1)  # A round of the owner would take the place of the first one.
    info = Versions(video).info(head_of(video.pk))
    assert (info.painted_since, info.painted) == ({}, {1: [(3, 3)], 2: [(4, 5)]})
    assert info.drawn == [(0, 1), (5, 5)]


def test_frames_whose_masks_a_round_started_from_count_as_drawn(video: Video, owner: User) -> None:
    base = done(video, owner, None, [0, 1, 2, 3])
    base.started_from = [2, 3]
    base.save(update_fields=["started_from"])
    info = Versions(video).info(base.pk)
    assert (info.drawn, info.scribbled) == ([(0, 0), (2, 3)], {1: [(0, 0)]})


def test_the_number_of_statements_does_not_grow_with_the_versions(video: Video, owner: User) -> None:
    base = done(video, owner, None, [0]).pk
    counts = []
    for _ in range(2):
        for frame in range(1, 5):
            base = done(video, owner, base, [frame]).pk
        with CaptureQueriesContext(connection) as statements:
            Versions(video).info(base)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 3


def test_the_scribbles_of_a_frame_come_in_pages(
    video: Video, owner: User, client_as: Callable[[User | None], Client]
) -> None:
    first = done(video, owner, None, [0])
    undone = done(video, owner, first.pk, [0])
    move_head(video=video, by=owner, from_round=undone.pk, to_round=first.pk)
    draw(video, owner, frame=2)
    second = run(video, owner, first.pk)
    client, address = client_as(owner), f"/api/videos/{video.pk}/line/scribbles"
    page = client.get(address, {"round": second.pk, "frame": 0, "limit": 1}).json()
    assert [scribble["frame"] for scribble in page["scribbles"]] == [0]
    assert page["scribbles"][0]["path"] == [[0.1, 0.2], [0.3, 0.4]]
    page = client.get(address, {"round": second.pk, "frame": 0, "before": page["next"]}).json()
    assert (len(page["scribbles"]), page["next"]) == (1, None)
    assert client.get(address, {"round": second.pk, "frame": 2}).json() == {"scribbles": [], "next": None}
    assert len(client.get(address, {"round": undone.pk, "frame": 0}).json()["scribbles"]) == 2


@pytest.mark.parametrize("call", ["line", "line/scribbles"])
def test_a_round_of_another_video_is_not_found(
    video: Video, owner: User, project: Project, client_as: Callable[[User | None], Client], call: str
) -> None:
    other = make_video(project, owner)
    add_object(video=other, author=owner)
    theirs = done(other, owner, None, [0])
    query = {"round": theirs.pk} | ({"frame": 0} if "scribbles" in call else {})
    answer = client_as(owner).get(f"/api/videos/{video.pk}/{call}", query)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
