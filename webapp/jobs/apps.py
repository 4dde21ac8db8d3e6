"""The Django app of jobs: who works on which frames of a video, and how far that work is."""

from importlib import import_module

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "webapp.jobs"
    label = "jobs"

    def ready(self) -> None:
        import_module("webapp.jobs.creation")  # The import connects signal handlers, which create jobs.
