"""The Django app of what people see of many videos at once: lists, search, the trash, and actions on many."""

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "webapp.overview"
    label = "overview"
