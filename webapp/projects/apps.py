"""The Django app of projects, labels, members and their roles."""

from importlib import import_module

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "webapp.projects"
    label = "projects"

    def ready(self) -> None:
        import_module("webapp.projects.group_roles")  # The import connects the signal of groups.
        import_module("webapp.projects.ownership")  # The import connects the signal of accounts that end.
