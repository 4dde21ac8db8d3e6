"""The Django app of workers, and the only one that uses engines."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "webapp.inference"
    label = "inference"

    def ready(self) -> None:
        from webapp.inference import runner
        from webapp.projects import engines

        engines.know(runner.names)
