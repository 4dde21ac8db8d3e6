"""Django app: workers: the one door to segmentation."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "webapp.inference"
    label = "inference"

    def ready(self) -> None:
        from webapp.inference import runner
        from webapp.projects import engines

        engines.know(runner.names)
