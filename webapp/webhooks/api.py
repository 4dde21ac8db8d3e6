"""REST calls of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.rest import ErrorAnswer, Strict
from webapp.webhooks import editing
from webapp.webhooks.events import TEXTS, Event
from webapp.webhooks.models import Delivery, DeliveryState, Webhook

router = Router(tags=["webhooks"])

Url = Annotated[str, Field(min_length=1, max_length=1000)]
Events = Annotated[list[Event], Field(max_length=50)]


class WebhookEvent(Schema):
    name: Event
    text: str


class WebhookBody(Strict):
    """The URL that is called, and the events for which it is called. Without `events`, it is called for all events."""

    url: Url
    events: Events = []


class WebhookPatch(Strict):
    url: Url | None = None
    events: Events | None = None
    active: bool | None = None


class WebhookInfo(Schema):
    id: int
    url: str
    events: list[str]  # Empty: all.
    active: bool
    note: str  # Why it was switched off.
    failures: int  # Failed attempts since the last one that succeeded, or since it was switched on.
    author: str
    created_at: datetime

    @staticmethod
    def resolve_author(hook: Webhook) -> str:
        return hook.created_by.shown_name if hook.created_by is not None else ""


class NewWebhook(WebhookInfo):
    """A new webhook with the secret that signs its deliveries. No other answer has the secret."""

    secret: str


class DeliveryInfo(Schema):
    """An event that a webhook is called for, with the last answer. `next_at` is the earliest time of the next call."""

    id: int
    message_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    status: int | None
    answer: str
    error: str
    body: str
    created_at: datetime


class DeliveryPage(Schema):
    deliveries: list[DeliveryInfo]
    next: int | None  # The `before` of the next page; null at the end.


@router.get("/webhook-events", response={200: list[WebhookEvent]})
def list_webhook_events(request: HttpRequest) -> list[WebhookEvent]:
    """Return the events that a webhook can be called for."""
    return [WebhookEvent(name=event, text=text) for event, text in TEXTS.items()]


@router.get("/projects/{int:project_id}/webhooks", response={200: list[WebhookInfo], (403, 404): ErrorAnswer})
def list_webhooks(request: HttpRequest, project_id: int) -> QuerySet[Webhook]:
    return editing.webhooks_of(signed_in(request), project_id)


@router.post("/projects/{int:project_id}/webhooks", response={201: NewWebhook, (400, 403, 404, 409): ErrorAnswer})
def add_webhook(request: HttpRequest, project_id: int, body: WebhookBody) -> Status[Webhook]:
    """Make a webhook. Only this answer has its secret."""
    by = signed_in(request)
    return Status(201, editing.add_webhook(by=by, project_id=project_id, url=body.url, events=body.events))


@router.patch("/webhooks/{int:webhook_id}", response={200: WebhookInfo, (400, 403, 404): ErrorAnswer})
def change_webhook(request: HttpRequest, webhook_id: int, body: WebhookPatch) -> Webhook:
    return editing.change_webhook(by=signed_in(request), webhook_id=webhook_id, **body.dict())


@router.delete("/webhooks/{int:webhook_id}", response={204: None, (403, 404): ErrorAnswer})
def remove_webhook(request: HttpRequest, webhook_id: int) -> Status[None]:
    editing.remove_webhook(by=signed_in(request), webhook_id=webhook_id)
    return Status(204, None)


@router.post("/webhooks/{int:webhook_id}/test", response={201: DeliveryInfo, (403, 404, 429): ErrorAnswer})
def ping_webhook(request: HttpRequest, webhook_id: int) -> Status[Delivery]:
    """Send a test event to a webhook."""
    return Status(201, editing.ping(by=signed_in(request), webhook_id=webhook_id))


@router.get("/webhooks/{int:webhook_id}/deliveries", response={200: DeliveryPage, (403, 404): ErrorAnswer})
def list_deliveries(
    request: HttpRequest,
    webhook_id: int,
    state: DeliveryState | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryPage:
    """Return the deliveries of a webhook, newest first. They are kept for 30 days."""
    rows = Delivery.objects.filter(webhook=editing.webhook_for(signed_in(request), webhook_id))
    rows = rows if state is None else rows.filter(state=state)
    found = list((rows if before is None else rows.filter(pk__lt=before))[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else None
    return DeliveryPage(deliveries=[DeliveryInfo.from_orm(row) for row in found[:limit]], next=more)


@router.post(
    "/webhook-deliveries/{int:delivery_id}/redeliver", response={201: DeliveryInfo, (403, 404, 429): ErrorAnswer}
)
def repeat_delivery(request: HttpRequest, delivery_id: int) -> Status[Delivery]:
    """Send the event of a delivery once more, with the same id."""
    return Status(201, editing.repeat(by=signed_in(request), delivery_id=delivery_id))
