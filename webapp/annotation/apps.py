"""Django app: objects, scribbles, rounds, masks, export."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "webapp.annotation"
    label = "annotation"
