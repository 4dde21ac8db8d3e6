"""The Django app of webhooks: calls to other servers when something happens in a project."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webapp.webhooks"
    label = "webhooks"
