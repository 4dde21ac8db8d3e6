"""Django app: objects, scribbles, rounds, masks, export."""

from importlib import import_module

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "webapp.annotation"
    label = "annotation"

    def ready(self) -> None:
        import_module("webapp.annotation.export.files")  # connects its signal
