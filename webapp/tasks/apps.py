"""The Django app of background work. Its table holds the queues that an administrator has paused."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "webapp.tasks"
