"""Tests of the REST calls of webhooks. The access matrix says who may make them."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests.webapp.webhooks.conftest import Receiver
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.projects.models import Project
from webapp.webhooks.deliveries import deliver
from webapp.webhooks.editing import MOST_WEBHOOKS
from webapp.webhooks.models import Webhook

JSON = "application/json"


def test_a_webhook_is_made_tested_looked_at_and_removed(
    client_as: Callable[[User | None], Client], owner: User, project: Project, receiver: Receiver
) -> None:
    client = client_as(owner)
    known = [event["name"] for event in client.get("/api/webhook-events").json()]
    assert {"video.ready", "round.done", "job.changed", "export.done", "ping"} <= set(known)
    address = f"/api/projects/{project.pk}/webhooks"
    body = {"url": receiver.url, "events": ["export.done", "video.ready", "export.done"]}
    made = client.post(address, body, content_type=JSON)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    (listed,) = client.get(address).json()
    assert "secret" not in listed
    assert listed["events"] == ["video.ready", "export.done"]
    one = f"/api/webhooks/{listed['id']}"
    changed = client.patch(one, {"events": []}, content_type=JSON).json()
    assert (changed["events"], changed["url"], changed["active"]) == ([], receiver.url, True)
    tested = client.post(f"{one}/test").json()
    assert (tested["event"], tested["state"], tested["status"]) == ("ping", "waiting", None)
    deliver(tested["id"])
    again = client.post(f"/api/webhook-deliveries/{tested['id']}/redeliver").json()
    assert (again["message_id"], again["body"]) == (tested["message_id"], tested["body"])
    page = client.get(f"{one}/deliveries?limit=1").json()
    assert ([row["id"] for row in page["deliveries"]], page["next"]) == ([again["id"]], again["id"])
    rest = client.get(f"{one}/deliveries?before={page['next']}").json()
    assert [(row["id"], row["state"], row["answer"]) for row in rest["deliveries"]] == [
        (tested["id"], "sent", "thank you")
    ]
    assert rest["next"] is None
    assert client.get(f"{one}/deliveries?state=failed").json()["deliveries"] == []
    assert client.delete(one).status_code == 204
    assert client.get(one + "/deliveries").status_code == 404
    done = AuditEntry.objects.filter(kind="webhook").order_by("pk").values_list("action", "thing_name")
    host = "http://localhost/..."  # The path of an address may be a secret.
    assert list(done) == [("webhook.add", host), ("webhook.change", host), ("webhook.remove", host)]


def test_a_webhook_that_cannot_be_is_refused_and_nothing_is_stored(
    client_as: Callable[[User | None], Client], owner: User, project: Project
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}/webhooks"
    for body, status, code in (
        ({"url": "http://10.0.0.1/"}, 400, "address_refused"),
        ({"url": "nonsense"}, 400, "bad_url"),
        ({"url": "https://8.8.8.8/", "events": ["video.gone"]}, 422, "invalid"),
    ):
        answer = client.post(address, body, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Webhook.objects.exists()
    Webhook.objects.bulk_create(Webhook(project=project, url="https://8.8.8.8/") for _ in range(MOST_WEBHOOKS))
    answer = client.post(address, {"url": "https://8.8.8.8/"}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
