"""Measure calls that return lists: server time, queries and bytes, for projects of 200 and 2,000 videos.

`python -m tests.latency.lists` prints the figures; its exit status is 1 if a target is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment
from django.utils import timezone

from tests.latency.figures import Figure
from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.jobs.models import Job, JobState, Stage
from webapp.live.project_feed import ProjectFeed, Watcher
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video, VideoState

TRIES = 15
WATCHERS = 33
MOST_MILLISECONDS = 40
QUERIES = {
    "newest first": "order=added",
    "by due date": "order=due",
    "by progress": "order=progress",
    "of one person, by last work": "order=worked&assignee=me",
    "whose name has a 7": "order=name&q=7",
}


def measure() -> Iterator[Figure]:
    """Create a database with projects of 200 and 2,000 videos, measure calls that read them, and yield the figures.

    The database is removed at the end.
    """
    setup_test_environment(debug=False)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        for count in (200, 2000):
            yield from _project(count)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _project(count: int) -> Iterator[Figure]:
    client, project = _filled(count)
    base = f"/api/projects/{project.pk}"
    for title, query in QUERIES.items():
        yield from _page(client, f"{count} videos, {title}", f"{base}/cards?limit=50&{query}", MOST_MILLISECONDS)
    first = client.get(f"{base}/cards?limit=50&order=due").json()
    behind = f"{base}/cards?limit=50&order=due&after={first['next']}"
    yield from _page(client, f"{count} videos, by due date, the second page", behind, MOST_MILLISECONDS)
    yield from _page(client, f"{count} videos, progress", f"{base}/progress")
    yield from _page(client, f"{count} videos, search", "/api/search?q=clip%20199")
    yield from _page(client, f"{count} videos, the whole list, without pages", f"{base}/videos")
    if count == 200:
        yield from _watched(client, project)
        yield from _studio(client, project)


def _studio(client: Client, project: Project) -> Iterator[Figure]:
    """Yield the size of the state of a video with 300 rounds of three scribbles, and that of a page of rounds."""
    video = project.videos.order_by("-pk")[0]
    path = [[round(0.001 * step, 4), round(0.5 - 0.0007 * step, 4)] for step in range(40)]
    scribble = {"path": path, "object_id": 1, "frame": 0, "kind": "scribble", "positive": True}
    Round.objects.bulk_create(
        Round(
            video=video,
            number=number,
            key=uuid4(),
            author=project.created_by,
            frame=0,
            scribbles=[scribble] * 3,
            num_objects=1,
            engine="star",
            state="done",
            frames=[[0, 299]],
        )
        for number in range(1, 301)
    )
    for title, address in (("the state", "state"), ("100 of its rounds", "rounds")):
        answer = client.get(f"/api/videos/{video.pk}/{address}")
        yield Figure(f"A video with 300 rounds: {title}", len(answer.content) / 1000, "kB")


def _watched(client: Client, project: Project) -> Iterator[Figure]:
    """Yield the share of a core that the server needs for 33 people who look at a list in which a video is imported."""
    address = f"/api/projects/{project.pk}/videos"
    started = time.process_time()
    for _ in range(WATCHERS):
        client.get(address)
    share = 100 * (time.process_time() - started)  # All of them ask once a second.
    yield Figure(f"{WATCHERS} people who ask for the whole list each second", share, "% core")
    feed, watchers = ProjectFeed(project.pk), [Watcher() for _ in range(WATCHERS)]
    video = project.videos.order_by("pk")[0]
    feed.poll()
    Video.objects.filter(pk=video.pk).update(state=VideoState.IMPORTING)
    feed.poll()
    started = time.process_time()
    for second in range(1, 11):
        Video.objects.filter(pk=video.pk).update(progress_done=second, progress_total=100)
        message = feed.poll()
        assert message is not None
        assert message.progress
        for watcher in watchers:
            watcher.tell(message)
            message.model_dump_json()
    share = 100 * (time.process_time() - started) / 10
    yield Figure(f"{WATCHERS} people who are told of a change each second", share, "% core", 5)


def _page(client: Client, title: str, address: str, most: float | None = None) -> Iterator[Figure]:
    client.get(address)
    times = []
    for _ in range(TRIES):
        started = time.process_time()
        answer = client.get(address)
        times.append(1000 * (time.process_time() - started))
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    said = f"{title} ({len(queries)} queries, {len(answer.content) / 1000:.0f} kB)"
    yield Figure(said, statistics.median(times), "ms", most)


def _filled(count: int) -> tuple[Client, Project]:
    """Create a project of `count` videos with a job each, and return a client of an annotator who has half of them."""
    owner = User.objects.create_user(f"owner{count}", password="correct horse battery")
    person = User.objects.create_user(f"person{count}", password="correct horse battery")
    project = Project.objects.create(name=f"Reef {count}", created_by=owner)
    for user, role in ((owner, Role.OWNER), (person, Role.ANNOTATOR)):
        Membership.objects.create(project=project, user=user, role=role)
    now, today = timezone.now(), timezone.localdate()
    videos = Video.objects.bulk_create(
        Video(
            project=project,
            name=f"clip {index:05}.mp4",
            state=VideoState.READY,
            frame_count=300,
            accepted_count=index % 300,
            worked_at=now - timedelta(minutes=index) if index % 3 else None,
            worked_by=person if index % 3 else None,
            created_by=owner,
        )
        for index in range(count)
    )
    stages = (Stage.ANNOTATION, Stage.VALIDATION, Stage.ACCEPTANCE)
    Job.objects.bulk_create(
        Job(
            video=video,
            first=0,
            last=299,
            assignee=person if index % 2 else None,
            stage=stages[index % 3],
            state=JobState.COMPLETED if index % 3 == 2 else JobState.NEW,
            due=today + timedelta(days=index % 20) if index % 4 else None,
            priority=index % 5,
        )
        for index, video in enumerate(videos)
    )
    client = Client()
    client.force_login(person)
    return client, project


def main() -> int:
    missed = 0
    for figure in measure():
        print(figure, flush=True)
        missed += not figure.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
