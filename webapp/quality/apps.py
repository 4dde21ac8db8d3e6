"""The Django app of quality: checks against hidden ground truth, consensus, and numbers about people's work."""

from importlib import import_module

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "webapp.quality"
    label = "quality"

    def ready(self) -> None:
        import_module("webapp.quality.checking")  # The import connects a signal handler, which checks submissions.
