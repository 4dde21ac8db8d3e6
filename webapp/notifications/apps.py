"""The Django app of notifications: what a person is told of while they look elsewhere."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "webapp.notifications"
    label = "notifications"
