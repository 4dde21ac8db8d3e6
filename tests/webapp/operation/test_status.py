"""Tests of the status of the site: what it shows, pausing a queue, draining a worker, and stopping what runs."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.conftest import run
from tests.webapp.operation.conftest import Site
from webapp.accounts.models import User
from webapp.annotation.claims import claim
from webapp.annotation.models import MaskImport, Round, RoundState
from webapp.audit.models import AuditEntry
from webapp.inference import tasks, workers
from webapp.jobs.models import Job
from webapp.quality.models import Computing, Consensus
from webapp.tasks import intake as intakes
from webapp.tasks.models import PausedQueue
from webapp.tasks.worker_names import own_name
from webapp.videos.models import Fetch
from webapp.videos.tasks import import_video
from webapp.webhooks.models import Delivery, Webhook


@pytest.fixture
def admin(client: Client, owner: User) -> Client:
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    client.force_login(owner)
    return client


def asked(client: Client) -> dict[str, Any]:
    answer = client.get("/api/status")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def patch(client: Client, queue: str, paused: bool) -> Any:
    return client.patch(f"/api/status/queues/{queue}", {"paused": paused}, content_type="application/json")


def test_it_shows_queues_workers_running_rounds_and_storage(admin: Client, site: Site) -> None:
    waiting = run(site.video, site.round.author, site.round.pk, frame=4)
    workers.announce("cuda:0")
    claim(waiting.pk, own_name())
    found = asked(admin)
    rounds = next(queue for queue in found["queues"] if queue["name"] == "rounds")
    assert (rounds["waiting"], rounds["running"], rounds["paused"]) == (0, 1, False)
    assert [(w["device"], w["alive"], w["round"]) for w in found["workers"]] == [("cuda:0", True, waiting.pk)]
    (task,) = found["running"]
    assert (task["kind"], task["id"], task["video_name"]) == ("round", waiting.pk, site.video.name)
    (project,) = found["storage"]
    assert project["video_bytes"] == site.video.size_bytes
    assert found["versions"]["Maskwright"]


def test_a_worker_for_imports_is_listed_and_drained_but_computes_no_rounds(admin: Client, site: Site) -> None:
    workers.announce("")
    assert not workers.beat(task="videos.import_video")
    (worker,) = asked(admin)["workers"]
    assert (worker["device"], worker["task"], worker["draining"]) == ("", "videos.import_video", False)
    assert (workers.status().alive, workers.status().text) == (False, "The worker is starting.")
    answer = admin.patch(f"/api/status/workers/{own_name()}", {"draining": True}, content_type="application/json")
    assert answer.json()["workers"][0]["draining"]
    assert workers.beat(), "it drains, and its task has ended"
    assert asked(admin)["workers"][0]["task"] == ""


def test_no_worker_begins_a_task_of_a_paused_queue(admin: Client, site: Site) -> None:
    waiting = run(site.video, site.round.author, site.round.pk, frame=4)
    answer = patch(admin, "rounds", True).json()
    assert next(queue for queue in answer["queues"] if queue["name"] == "rounds")["paused"]
    assert claim(waiting.pk, own_name()) is None
    assert "paused" in workers.status().text
    patch(admin, "rounds", False)
    assert claim(waiting.pk, own_name()) is not None
    assert [entry.action for entry in AuditEntry.objects.filter(kind="queue").order_by("pk")] == [
        "queue.pause",
        "queue.resume",
    ]


def test_workers_are_told_of_all_that_waits_when_a_pause_ends(
    admin: Client, site: Site, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    author = site.round.author
    fetch = Fetch.objects.create(project=site.video.project, source="reef.mp4", created_by=author)
    hook = Webhook.objects.create(project=site.video.project, url="https://tools.example.org", created_by=author)
    delivery = Delivery.objects.create(webhook=hook, event="ping", body="{}")
    for queue, task in (
        ("imports", ("videos.fetch", [fetch.pk])),
        ("exports", ("webhooks.deliver", [delivery.pk])),
    ):
        patch(admin, queue, True)
        sent_tasks.clear()
        with django_capture_on_commit_callbacks(execute=True):
            patch(admin, queue, False)
        assert task in sent_tasks


def test_every_kind_of_task_counts_in_its_queue(admin: Client, site: Site) -> None:
    author, project = site.round.author, site.video.project
    Fetch.objects.create(project=project, source="reef.mp4", created_by=author)
    MaskImport.objects.create(project=project, video=site.video, author=author)
    hook = Webhook.objects.create(project=project, url="https://tools.example.org", created_by=author)
    due, later = timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(hours=1)
    for at in (due, later):
        delivery = Delivery.objects.create(webhook=hook, event="ping", body="{}", next_at=at)
        Delivery.objects.filter(pk=delivery.pk).update(created_at=timezone.now() - timedelta(days=1))
    consensus = Consensus.objects.create(job=Job.objects.get(), created_by=author, state=Computing.WAITING)
    queues = {queue["name"]: queue for queue in asked(admin)["queues"]}
    assert {name: (queue["waiting"], queue["running"]) for name, queue in queues.items()} == {
        "rounds": (0, 0),
        "imports": (2, 0),
        "exports": (2, 0),
    }
    assert 60 <= queues["exports"]["oldest_seconds"] < 600, "a delivery waits since it is due"
    metrics = admin.get("/metrics").content.decode()
    assert 'maskwright_queue_length{queue="imports"} 2.0' in metrics
    assert 'maskwright_queue_length{queue="exports"} 2.0' in metrics
    Consensus.objects.filter(pk=consensus.pk).update(state=Computing.RUNNING, heartbeat=timezone.now())
    (exports,) = (queue for queue in asked(admin)["queues"] if queue["name"] == "exports")
    assert (exports["waiting"], exports["running"]) == (1, 1)


def test_pausing_twice_is_one_pause(admin: Client) -> None:
    assert patch(admin, "exports", True).status_code == 200
    assert patch(admin, "exports", True).status_code == 200
    assert PausedQueue.objects.count() == 1
    assert patch(admin, "lunch", True).status_code == 404


def test_an_administrator_stops_a_round_of_a_project_of_others(admin: Client, site: Site) -> None:
    waiting = run(site.video, site.round.author, site.round.pk, frame=4)
    claim(waiting.pk, own_name())
    assert admin.post(f"/api/status/running/round/{waiting.pk}/cancel").status_code == 204
    assert Round.objects.get(pk=waiting.pk).cancel_requested
    assert Round.objects.get(pk=waiting.pk).state == RoundState.RUNNING
    assert admin.post("/api/status/running/round/999999/cancel").status_code == 404
    assert admin.post(f"/api/status/running/lunch/{waiting.pk}/cancel").status_code == 404


def test_a_drained_worker_sends_tasks_back_and_gets_no_follow_ups(
    admin: Client, site: Site, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.announce("cpu")
    called: list[str] = []
    consumer = SimpleNamespace(
        call_soon=lambda do: do(),
        cancel_task_queue=called.append,
        add_task_queue=lambda name: called.append(f"+{name}"),
    )
    intake = intakes.Intake()
    intake.connect(consumer, ["rounds"], workers.is_draining)
    monkeypatch.setattr(intakes, "intake", intake)
    waiting = run(site.video, site.round.author, site.round.pk, frame=4)
    sent_tasks.clear()
    address = f"/api/status/workers/{own_name()}"
    answer = admin.patch(address, {"draining": True}, content_type="application/json").json()
    assert [(worker["draining"], worker["round"]) for worker in answer["workers"]] == [(True, None)]
    assert "drained" in workers.status().text
    tasks.run_round(waiting.pk, True)
    import_video(site.video.pk)
    assert sent_tasks == [("inference.run_round", [waiting.pk]), ("videos.import_video", [site.video.pk])]
    sent_tasks.pop()
    assert Round.objects.get(pk=waiting.pk).state == RoundState.QUEUED
    intake.follow(draining=workers.beat())
    assert called == ["rounds", "rounds"], "each task that is sent back closes the queues first"
    admin.patch(address, {"draining": False}, content_type="application/json")
    assert len(sent_tasks) == 2, "the workers are told what waits"
    intake.follow(draining=workers.beat())
    assert called == ["rounds", "rounds", "+rounds"]
    assert not workers.is_draining()
    assert list(AuditEntry.objects.filter(kind="worker").order_by("pk").values_list("action", flat=True)) == [
        "worker.drain",
        "worker.resume",
    ]
    assert (
        admin.patch("/api/status/workers/x:1", {"draining": True}, content_type="application/json").status_code == 404
    )
