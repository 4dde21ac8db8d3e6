"""Tests of /metrics (figures for Prometheus): who may read it, and that its figures agree with the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries

from tests.webapp.conftest import run
from tests.webapp.operation.conftest import Site
from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.inference import workers
from webapp.inference.memory import Memory
from webapp.operation.metrics import SiteFigures
from webapp.tasks.worker_names import own_name
from webapp.videos.models import Video


@pytest.fixture
def token(settings: Any) -> Iterator[dict[str, str]]:
    settings.CONFIG.values["MASKWRIGHT_METRICS_TOKEN"] = "a token for the tests"
    yield {"Authorization": "Bearer a token for the tests"}
    settings.CONFIG.values["MASKWRIGHT_METRICS_TOKEN"] = ""


def figures(client: Client, headers: dict[str, str]) -> dict[tuple[str, ...], float]:
    """Return the Prometheus figures. The key is the name and the values of the labels, sorted by the labels' names."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_only_who_has_the_token_and_administrators_may_read(client: Client, owner: User, token: dict[str, str]) -> None:
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer a wrong one"}).status_code == 403
    assert client.get("/metrics", headers=token).status_code == 200
    client.force_login(owner)
    assert client.get("/metrics").status_code == 403
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    assert client.get("/metrics").status_code == 200


def test_a_token_of_an_administrator_may_read_unless_it_is_for_some_projects(client: Client, owner: User) -> None:
    for projects, is_admin, status in ((None, False, 403), ([1], True, 403), (None, True, 200)):
        User.objects.filter(pk=owner.pk).update(is_superuser=is_admin)
        _, secret = make_token(by=owner, name="scraper", projects=projects, may_write=False, days=1)
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == status, (projects, is_admin)


def test_copies_that_share_the_files_of_a_video_take_no_room(client: Client, site: Site, token: dict[str, str]) -> None:
    Video.objects.update(size_bytes=1000)
    Video.objects.filter(pk=site.video.pk).update(is_copy=True)
    found = figures(client, token)
    assert (found["maskwright_videos_bytes",], found["maskwright_video_frames",]) == (0, 0)


def test_an_empty_token_lets_nobody_in(client: Client, db: None) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_the_figures_are_those_of_the_site(client: Client, site: Site, token: dict[str, str]) -> None:
    run(site.video, site.round.author, site.round.pk, frame=4)
    workers.announce("cuda:0")
    assert not workers.beat(memory=Memory(5 << 20, 6 << 30, 8 << 30))
    found = figures(client, token)
    assert found["maskwright_rounds", "fake", "done"] == 1
    assert found["maskwright_rounds", "fake", "queued"] == 1
    assert found["maskwright_queue_length", "rounds"] == 1
    assert found["maskwright_queue_age_seconds", "rounds"] >= 0
    assert found["maskwright_queue_length", "imports"] == 0
    assert found["maskwright_frames_per_second", "fake"] > 0
    assert found["maskwright_round_wait_seconds", "fake"] >= 0
    assert found["maskwright_imports", "ready"] == 1
    assert found["maskwright_exports", "davis", "done"] == 1
    assert found["maskwright_exports_bytes",] == 4
    assert found["maskwright_workers", "cuda:0"] == 1
    assert found["maskwright_worker_memory_bytes", "cuda:0", own_name()] == 5 << 20
    assert found["maskwright_worker_gpu_memory_bytes", "cuda:0", own_name()] == 6 << 30
    assert found["maskwright_worker_gpu_memory_size_bytes", "cuda:0", own_name()] == 8 << 30
    assert found["maskwright_video_frames",] == site.video.frame_count
    assert found["maskwright_disk_free_bytes",] > 0


def test_an_empty_site_has_figures_too(client: Client, db: None, token: dict[str, str]) -> None:
    assert figures(client, token)["maskwright_queue_length", "rounds"] == 0


def test_the_number_of_queries_does_not_grow(site: Site, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(18):
        list(SiteFigures().collect())
    for _ in range(3):
        run(site.video, site.round.author, site.video.head.round_id)
        site.video.head.refresh_from_db()
    with django_assert_num_queries(18):
        list(SiteFigures().collect())
