"""Tests of the list of a project's videos: order, cursors, filters, what a card shows, and the number of queries.

They also test a project's progress and the search.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.models import Object
from webapp.jobs.models import Job, JobEvent, JobState, Stage
from webapp.projects.models import Label, Project
from webapp.videos.models import NAME_LENGTH, Video, VideoState

ClientAs = Callable[[User | None], Client]
TODAY = timezone.localdate()


@pytest.fixture
def videos(project: Project, owner: User, annotator: User) -> list[Video]:
    """Create five ready videos, for each of which the server makes one job. Their names fall while their ids rise."""
    made = [
        Video.objects.create(
            project=project,
            name=f"clip {9 - index}",
            state=VideoState.READY,
            frame_count=10 * (index + 1),
            accepted_count=10 if index else 0,
            worked_at=None if index % 2 else timezone.now() - timedelta(hours=index),
            worked_by=None if index % 2 else annotator,
            created_by=owner,
        )
        for index in range(5)
    ]
    jobs = [video.jobs.get() for video in made]
    Job.objects.filter(pk=jobs[1].pk).update(assignee=annotator, state=JobState.IN_PROGRESS, due=TODAY)
    Job.objects.filter(pk=jobs[2].pk).update(assignee=annotator, due=TODAY - timedelta(days=1), priority=3)
    Job.objects.filter(pk=jobs[3].pk).update(
        stage=Stage.ACCEPTANCE, state=JobState.COMPLETED, due=TODAY, reviewer=owner
    )
    return made


def numbers(client: Client, project: Project, **query: Any) -> list[int]:
    """Return the numbers in the names of all videos in the list of cards, which is read in pages of two."""
    found: list[int] = []
    after: dict[str, str] = {}
    while True:
        answer = client.get(f"/api/projects/{project.pk}/cards", {"limit": 2, **query, **after})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert len(body["cards"]) <= 2
        found += [int(card["name"][-1]) for card in body["cards"]]
        if body["next"] is None:
            return found
        after = {"after": body["next"]}


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("added", [5, 6, 7, 8, 9]),
        ("name", [5, 6, 7, 8, 9]),
        ("worked", [9, 7, 5, 6, 8]),
        ("due", [7, 8, 9, 6, 5]),
        ("priority", [7, 5, 6, 8, 9]),
        ("progress", [9, 5, 6, 7, 8]),
        ("frames", [5, 6, 7, 8, 9]),
    ],
)
def test_every_order_gives_each_video_once_over_all_pages(
    client_as: ClientAs, viewer: User, project: Project, videos: list[Video], order: str, wanted: list[int]
) -> None:
    client = client_as(viewer)
    found = numbers(client, project, order=order)
    assert found == wanted
    assert numbers(client, project, order=order, reverse=True) == wanted[::-1]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"q": "CLIP 7"}, [7]),
        ({"q": "clip_"}, []),
        ({"assignee": "me"}, [7, 8]),
        ({"assignee": "none"}, [5, 6, 9]),
        ({"reviewer": "none", "stage": "acceptance"}, []),
        ({"stage": "annotation", "job_state": "in_progress"}, [8]),
        ({"due": "overdue"}, [7]),
        ({"due": "week"}, [7, 8]),
        ({"due": "none"}, [5, 6, 9]),
        ({"state": "failed"}, []),
        ({"archived": True}, []),
        ({"truth": True}, []),
    ],
    ids=str,
)
def test_filters(
    client_as: ClientAs, annotator: User, project: Project, videos: list[Video], query: Any, wanted: list[int]
) -> None:
    assert numbers(client_as(annotator), project, order="name", **query) == wanted


def test_a_label_finds_the_videos_with_a_present_object_of_it(
    client_as: ClientAs, viewer: User, owner: User, project: Project, videos: list[Video]
) -> None:
    label = Label.objects.create(project=project, name="Eel", color="#112233")
    for video, deleted_at in ((videos[0], None), (videos[1], timezone.now())):
        Object.objects.create(video=video, number=1, name="Eel", label=label, created_by=owner, deleted_at=deleted_at)
    assert numbers(client_as(viewer), project, label=label.pk) == [9]


def test_a_card_shows_its_jobs_and_how_far_it_is(
    client_as: ClientAs, viewer: User, project: Project, videos: list[Video]
) -> None:
    answer = client_as(viewer).get(f"/api/projects/{project.pk}/cards", {"q": "clip 7"}).json()
    assert (answer["total"], answer["next"]) == (1, None)
    (card,) = answer["cards"]
    assert (card["accepted"], card["frame_count"], card["last_worked_by"]) == (10, 30, "Annotator")
    (job,) = card["jobs"]
    assert (job["assignee"]["name"], job["reviewer"], job["priority"], job["late"]) == ("Annotator", None, 3, True)


def test_archived_and_deleted_videos_are_left_out(
    client_as: ClientAs, viewer: User, project: Project, videos: list[Video]
) -> None:
    Video.objects.filter(pk=videos[0].pk).update(archived_at=timezone.now())
    Video.objects.filter(pk=videos[1].pk).update(deleted_at=timezone.now())
    client = client_as(viewer)
    assert numbers(client, project) == [5, 6, 7]
    assert numbers(client, project, archived=True) == [9]


def test_a_cursor_of_another_order_or_of_nothing_is_refused(
    client_as: ClientAs, viewer: User, project: Project, videos: list[Video]
) -> None:
    client, address = client_as(viewer), f"/api/projects/{project.pk}/cards"
    after: str = client.get(address, {"limit": "1", "order": "name"}).json()["next"]
    cases: list[dict[str, str]] = [{"after": after}, {"after": after[:-4], "order": "name"}]
    cases += [{"after": text} for text in ("x", "W10", "W" * 900)]
    for query in cases:
        answer = client.get(address, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_the_number_of_queries_does_not_depend_on_the_number_of_videos(
    client_as: ClientAs, viewer: User, project: Project, videos: list[Video]
) -> None:
    client, address = client_as(viewer), f"/api/projects/{project.pk}/cards"
    counts = []
    for limit in (1, 5):
        with CaptureQueriesContext(connection) as queries:
            client.get(address, {"limit": limit, "order": "due"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


def test_progress_counts_and_what_was_left_on_each_day(
    client_as: ClientAs, viewer: User, owner: User, project: Project, videos: list[Video]
) -> None:
    accepted = Job.objects.get(stage=Stage.ACCEPTANCE)
    event = JobEvent.objects.create(
        job=accepted, by=owner, action="accept", from_stage="validation", from_state="new",
        to_stage="acceptance", to_state="completed",
    )  # fmt: skip
    JobEvent.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(days=2))
    answer = client_as(viewer).get(f"/api/projects/{project.pk}/progress").json()
    assert (answer["videos"], answer["frames"], answer["accepted_frames"]) == ({"ready": 5}, 150, 40)
    assert answer["jobs"] == {"annotation/new": 3, "annotation/in_progress": 1, "acceptance/completed": 1}
    assert answer["late"] == 1
    assert [(day["jobs"], day["frames"]) for day in answer["days"]] == [(5, 150), (4, 110), (4, 110), (4, 110)]
    assert answer["days"][-1]["day"] == TODAY.isoformat()


def test_a_job_that_nobody_reviews_is_finished_when_it_is_submitted(
    client_as: ClientAs, viewer: User, owner: User, project: Project, videos: list[Video]
) -> None:
    late = Job.objects.get(due__lt=TODAY)
    JobEvent.objects.create(
        job=late, by=owner, action="submit", from_stage="annotation", from_state="new",
        to_stage="annotation", to_state="completed",
    )  # fmt: skip
    Job.objects.filter(pk=late.pk).update(state="completed")
    client, base = client_as(viewer), f"/api/projects/{project.pk}"
    answer = client.get(f"{base}/progress").json()
    assert (answer["late"], answer["days"][-1]["jobs"]) == (0, answer["days"][-2]["jobs"] - 1)
    assert client.get(f"{base}/cards?due=overdue").json()["cards"] == []


def test_search_finds_names_in_all_projects_of_a_person_only(
    client_as: ClientAs, viewer: User, stranger: User, owner: User, project: Project, videos: list[Video]
) -> None:
    Object.objects.create(video=videos[0], number=1, name="Reef shark", created_by=owner)
    answer = client_as(viewer).get("/api/search", {"q": "reef"}).json()
    assert [row["name"] for row in answer["projects"]] == ["Reef"]
    assert [(row["name"], row["video_name"]) for row in answer["objects"]] == [("Reef shark", "clip 9")]
    assert [row["name"] for row in client_as(viewer).get("/api/search", {"q": "9"}).json()["videos"]] == ["clip 9"]
    nothing: dict[str, list[Any]] = {"projects": [], "videos": [], "objects": []}
    assert client_as(stranger).get("/api/search", {"q": "reef"}).json() == nothing
    assert client_as(viewer).get("/api/search", {"q": " "}).json() == nothing


def test_the_cursor_behind_a_long_name_in_any_script_is_accepted(
    client_as: ClientAs, project: Project, owner: User
) -> None:
    for letter in "ab":
        Video.objects.create(project=project, name=letter + "\U00020000" * (NAME_LENGTH - 1), created_by=owner)
    client, query = client_as(owner), {"limit": "1", "order": "name"}
    address = f"/api/projects/{project.pk}/cards"
    first = client.get(address, query).json()
    second = client.get(address, {**query, "after": first["next"]})
    assert second.status_code == 200
    assert [card["name"][0] for card in (first["cards"] + second.json()["cards"])] == ["a", "b"]


def test_videos_with_ground_truth_are_found_by_those_who_may_see_it(
    client_as: ClientAs, project: Project, videos: list[Video], annotator: User, reviewer: User
) -> None:
    Video.objects.filter(pk=videos[2].pk).update(truth_frames=[0, 3])
    found = {user.username: numbers(client_as(user), project, truth=True) for user in (annotator, reviewer)}
    assert found == {"annotator": [], "reviewer": [7]}
