"""Tests of how deliveries are made, signed, tried again, given up and repeated."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from tests.webapp.conftest import draw, make_video
from tests.webapp.webhooks.conftest import Receiver
from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import create_round, stop
from webapp.notifications.models import Notification
from webapp.projects.models import Project
from webapp.webhooks import deliveries
from webapp.webhooks.deliveries import (
    DELIVERIES,
    MOST_ATTEMPTS,
    MOST_FAILURES,
    deliver,
    forget_old_deliveries,
    shown_url,
)
from webapp.webhooks.editing import add_webhook, change_webhook, ping, remove_webhook, repeat
from webapp.webhooks.events import Event, tell
from webapp.webhooks.models import Delivery, DeliveryState, Webhook

Tasks = list[tuple[str, list[Any]]]


def make_due() -> None:
    Delivery.objects.filter(state=DeliveryState.WAITING).update(next_at=Now())


def verifier() -> Any:
    """Return the function in docs/webhooks.md with which a receiver checks the signature of a delivery."""
    text = (Path(django_settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
    scope: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], scope)
    return scope["verified"]


def test_an_event_is_sent_signed_and_the_documented_receiver_verifies_it(
    webhook: Webhook, receiver: Receiver, django_capture_on_commit_callbacks: Any, sent_tasks: Tasks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tell(webhook.project_id, Event.EXPORT_DONE, export=7)
        assert sent_tasks == []
    ((task, arguments),) = sent_tasks
    assert task == deliveries.TASK
    deliver(*arguments)
    ((path, headers, body),) = receiver.calls
    assert path == "/hook"
    assert headers["Host"] == f"localhost:{receiver.server_port}"
    assert receiver.bodies[0]["type"] == "export.done"
    assert (receiver.bodies[0]["project"], receiver.bodies[0]["data"]) == (webhook.project_id, {"export": 7})
    verified = verifier()
    assert verified(webhook.secret, headers, body)["data"] == {"export": 7}
    assert verified("whsec_" + base64.b64encode(b"other").decode(), headers, body) is None
    assert verified(webhook.secret, headers, body + b" ") is None
    assert verified(webhook.secret, {**headers, "Webhook-Timestamp": "1"}, body) is None
    sent = Delivery.objects.get()
    assert (sent.state, sent.status, sent.answer, sent.attempts) == (DeliveryState.SENT, 200, "thank you", 1)
    deliver(sent.pk)
    assert len(receiver.calls) == 1


def test_an_event_is_due_at_once(webhook: Webhook) -> None:
    tell(webhook.project_id, Event.EXPORT_DONE, export=7)
    # The database stored both times in one statement, so they are equal.
    assert Delivery.objects.filter(next_at__lte=F("notified_at")).exists()


def test_workers_are_told_the_id_of_a_delivery_on_an_old_sqlite(
    webhook: Webhook, django_capture_on_commit_callbacks: Any, sent_tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    with django_capture_on_commit_callbacks(execute=True):
        tell(webhook.project_id, Event.EXPORT_DONE, export=7)
    assert [arguments[0] for _, arguments in sent_tasks] == [Delivery.objects.get().pk]


def test_a_webhook_gets_the_events_it_wants_and_none_while_it_is_switched_off(
    receiver: Receiver, project: Project, owner: User, stranger: User
) -> None:
    events = [Event.ROUND_CANCELLED, Event.EXPORT_DONE]
    hook = add_webhook(by=owner, project_id=project.pk, url=receiver.url, events=events)
    other = Project.objects.get(created_by=stranger)
    add_webhook(by=stranger, project_id=other.pk, url=receiver.url, events=[])
    video = make_video(project, owner)
    add_object(video=video, author=owner, name="Fish")
    draw(video, owner)
    made = create_round(video=video, author=owner, key=uuid.uuid4(), frames=[0], engine="fake", base=None)
    tell(project.pk, Event.VIDEO_READY, video=video.pk)
    stop(Round.objects.get(pk=made.pk), owner)
    told = Delivery.objects.get()
    assert (told.webhook, told.event) == (hook, "round.cancelled")
    change_webhook(by=owner, webhook_id=hook.pk, url=None, events=None, active=False)
    tell(project.pk, Event.EXPORT_DONE, export=7)
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(("status", "says"), [(500, "500"), (404, "404"), (302, "Redirects are not followed")])
def test_a_failed_delivery_waits_and_so_do_the_others_of_its_webhook(
    webhook: Webhook, receiver: Receiver, owner: User, status: int, says: str
) -> None:
    receiver.status, receiver.answer = status, b"no \0 thanks" + b"x" * 5000
    first, second = ping(by=owner, webhook_id=webhook.pk), ping(by=owner, webhook_id=webhook.pk)
    deliver(first.pk)
    deliver(second.pk)
    assert [path for path, _, _ in receiver.calls] == ["/hook"]
    first.refresh_from_db()
    assert (first.state, first.status, len(first.answer)) == (DeliveryState.WAITING, status, deliveries.EXCERPT - 1)
    assert says in first.error
    assert Delivery.objects.filter(next_at__gt=Now() + timedelta(seconds=8)).count() == 2
    DELIVERIES.sweep(starting=True)
    assert DELIVERIES.waiting().count() == 0
    receiver.status = 204
    receiver.answer = b""
    make_due()
    deliver(first.pk)
    first.refresh_from_db()
    webhook.refresh_from_db()
    assert (first.state, first.attempts, first.error, webhook.failures) == (DeliveryState.SENT, 2, "", 0)


def test_an_event_after_a_failure_waits_until_the_pause_has_passed_or_another_call_succeeds(
    webhook: Webhook, receiver: Receiver, owner: User
) -> None:
    receiver.status = 500
    first = ping(by=owner, webhook_id=webhook.pk)
    deliver(first.pk)
    tell(webhook.project_id, Event.EXPORT_DONE, export=7)
    told = Delivery.objects.get(event=Event.EXPORT_DONE)
    deliver(told.pk)
    webhook.refresh_from_db()
    assert (len(receiver.calls), webhook.failures) == (1, 1)
    receiver.status = 200
    Delivery.objects.filter(pk=first.pk).update(next_at=Now())
    deliver(first.pk)
    deliver(told.pk)
    assert [body["type"] for body in receiver.bodies] == ["ping", "ping", "export.done"]


def test_a_fault_of_the_program_is_stored_as_a_failure(
    webhook: Webhook, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object, **__: object) -> None:
        raise ValueError("not foreseen")

    sent = ping(by=owner, webhook_id=webhook.pk)
    monkeypatch.setattr(deliveries, "request", faulty)
    deliver(sent.pk)
    sent.refresh_from_db()
    assert (sent.state, "fault of the program" in sent.error) == (DeliveryState.WAITING, True)


def test_the_answer_to_a_call_of_a_webhook_that_was_removed_meanwhile_is_forgotten(
    webhook: Webhook, owner: User
) -> None:
    delivery = DELIVERIES.claim(ping(by=owner, webhook_id=webhook.pk).pk)
    assert delivery is not None
    remove_webhook(by=owner, webhook_id=webhook.pk)
    deliveries._sent(delivery, 200, "")
    deliveries._failed(delivery, 500)
    assert not Delivery.objects.exists()


def test_a_delivery_is_given_up_and_a_webhook_that_always_fails_is_switched_off_with_a_notification(
    webhook: Webhook, receiver: Receiver, owner: User
) -> None:
    receiver.status = 500
    first, second = ping(by=owner, webhook_id=webhook.pk), ping(by=owner, webhook_id=webhook.pk)
    for attempt in range(MOST_FAILURES):
        make_due()
        deliver(first.pk if attempt < MOST_ATTEMPTS else second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    webhook.refresh_from_db()
    assert (first.state, first.attempts) == (DeliveryState.FAILED, MOST_ATTEMPTS)
    assert (second.state, webhook.active, webhook.failures) == (DeliveryState.FAILED, False, MOST_FAILURES)
    assert webhook.note.startswith(f"It failed {MOST_FAILURES} times in a row. The answer was 500")
    told = Notification.objects.get(user=owner, kind="webhook_off").text
    assert f"The webhook {shown_url(receiver.url)} of" in told
    assert "/hook" not in told  # A path may be a secret of the other server.
    receiver.status = 200
    again = repeat(by=owner, delivery_id=first.pk)
    deliver(again.pk)
    again.refresh_from_db()
    assert (again.state, again.message_id, again.body) == (DeliveryState.SENT, first.message_id, first.body)
    changed = change_webhook(by=owner, webhook_id=webhook.pk, url=None, events=None, active=True)
    assert (changed.active, changed.note, changed.failures) == (True, "", 0)


def test_an_address_is_checked_again_at_each_delivery(
    webhook: Webhook, receiver: Receiver, owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ping(by=owner, webhook_id=webhook.pk)
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", [])
    deliver(sent.pk)
    sent.refresh_from_db()
    assert receiver.calls == []
    assert "not public" in sent.error
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"])
    Webhook.objects.update(url="http://localhost:1/")  # Nothing listens there.
    make_due()
    deliver(sent.pk)
    sent.refresh_from_db()
    assert (sent.status, sent.error.startswith("localhost cannot be reached")) == (None, True)


def test_old_deliveries_are_forgotten_unless_they_still_wait(webhook: Webhook, receiver: Receiver, owner: User) -> None:
    old, waiting, new = (ping(by=owner, webhook_id=webhook.pk) for _ in range(3))
    deliver(old.pk)
    deliver(new.pk)
    Delivery.objects.exclude(pk=new.pk).update(created_at=Now() - deliveries.KEPT - timedelta(hours=1))
    forget_old_deliveries()
    assert set(Delivery.objects.all()) == {waiting, new}
