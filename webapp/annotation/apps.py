"""The Django app of annotation: objects, scribbles, rounds, masks, pins, exports and imports of masks."""

from importlib import import_module

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "webapp.annotation"
    label = "annotation"

    def ready(self) -> None:
        import_module("webapp.annotation.export.files")  # It connects a signal handler, which deletes files.
        import_module("webapp.annotation.labels")  # It connects what moves the objects of a deleted label.
