"""Makes, changes and removes the webhooks of a project, and repeats deliveries. Managers may do so."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.outgoing import check_target
from webapp.problems import NotFound, Problem
from webapp.projects.access import memberships_of, project_for, require
from webapp.projects.models import Role
from webapp.webhooks.deliveries import DELIVERIES, shown_url
from webapp.webhooks.events import TEXTS, Event, body_of
from webapp.webhooks.models import Delivery, DeliveryState, Webhook
from webapp.webhooks.signing import new_secret

MOST_WEBHOOKS = 20  # of one project
MOST_WAITING = 1000  # deliveries of one webhook; beyond these no test and no repetition is taken


def webhooks_of(user: User, project_id: int) -> QuerySet[Webhook]:
    project = project_for(user, project_id, Role.MANAGER)
    return Webhook.objects.filter(project=project).select_related("created_by")


def webhook_for(user: User, webhook_id: int) -> Webhook:
    """Return a webhook of a project that `user` manages. Raises NotFound or Forbidden."""
    mine = memberships_of(user).values("project")
    hook = Webhook.objects.select_related("created_by", "project").filter(pk=webhook_id, project__in=mine).first()
    if hook is None:
        raise NotFound("webhook")
    require(user, hook.project_id, Role.MANAGER, what="webhook")
    return hook


def _locked_webhook_for(user: User, webhook_id: int) -> Webhook:
    """Return a webhook, whose row is locked before its deliveries are changed (see deliveries.py). Raises NotFound or
    Forbidden.
    """
    webhook_for(user, webhook_id)
    if Webhook.objects.select_for_update().filter(pk=webhook_id).first() is None:
        raise NotFound("webhook")
    return webhook_for(user, webhook_id)


def add_webhook(*, by: User, project_id: int, url: str, events: Sequence[Event]) -> Webhook:
    """Make a webhook, whose secret is new. Raises Problem: an address that cannot be used, or too many webhooks."""
    project_for(by, project_id, Role.MANAGER)
    check_target(url)
    with transaction.atomic():
        project = project_for(by, project_id, Role.MANAGER)
        if Webhook.objects.filter(project=project).count() >= MOST_WEBHOOKS:
            raise Problem("too_many_webhooks", f"A project has {MOST_WEBHOOKS} webhooks at most. Remove one.", 409)
        values = {"url": url, "events": _in_order(events), "secret": new_secret(), "created_by": by}
        hook = Webhook.objects.create(project=project, **values)
        record(by, "webhook.add", _thing(hook), project_id=project.pk, events=hook.events)
    return hook


def change_webhook(
    *, by: User, webhook_id: int, url: str | None, events: Sequence[Event] | None, active: bool | None
) -> Webhook:
    """Change a webhook; None leaves a part as it is. If it is switched on again, its failures are counted from zero."""
    webhook_for(by, webhook_id)
    if url is not None:
        check_target(url)
    with transaction.atomic():
        hook = _locked_webhook_for(by, webhook_id)
        changed = {"url": url, "events": None if events is None else _in_order(events), "active": active}
        changed = {name: value for name, value in changed.items() if value not in (None, getattr(hook, name))}
        for name, value in changed.items():
            setattr(hook, name, value)
        if changed.get("active"):
            hook.failures, hook.note = 0, ""
        hook.save()
        if changed:
            shown = changed | ({"url": shown_url(hook.url)} if "url" in changed else {})
            record(by, "webhook.change", _thing(hook), project_id=hook.project_id, **shown)
    return hook


@transaction.atomic
def remove_webhook(*, by: User, webhook_id: int) -> None:
    hook = _locked_webhook_for(by, webhook_id)
    record(by, "webhook.remove", _thing(hook), project_id=hook.project_id)
    hook.delete()


@transaction.atomic
def ping(*, by: User, webhook_id: int) -> Delivery:
    """Send a test event to a webhook, whether it is switched on or not."""
    hook = webhook_for(by, webhook_id)
    data = {"text": f"{by.shown_name} tests this webhook.", "project_name": hook.project.name}
    return _send(hook, Delivery(event=Event.PING, body=body_of(hook.project_id, Event.PING, data)))


@transaction.atomic
def repeat(*, by: User, delivery_id: int) -> Delivery:
    """Send the event of a delivery once more: the same bytes with the same id, in a new delivery."""
    old = Delivery.objects.filter(pk=delivery_id).first()
    if old is None:
        raise NotFound("delivery")
    try:
        hook = webhook_for(by, old.webhook_id)
    except NotFound:
        raise NotFound("delivery") from None
    return _send(hook, Delivery(event=old.event, body=old.body, message_id=old.message_id))


def _send(hook: Webhook, delivery: Delivery) -> Delivery:
    waiting = Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING).count()
    if waiting >= MOST_WAITING:
        text = f"{waiting} deliveries of this webhook wait already. Try again when they are sent."
        raise Problem("too_many_deliveries", text, 429, retry_after=60)
    delivery.webhook = hook
    delivery.save()
    DELIVERIES.notify(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def _thing(hook: Webhook) -> Thing:
    return Thing("webhook", hook.pk, shown_url(hook.url))


def _in_order(events: Sequence[Event]) -> list[str]:
    """Return the names of `events` without repetitions, in the order of `TEXTS`."""
    return [str(event) for event in TEXTS if event in events]
