"""The Django app of videos, uploads, imports and stored frames."""

from importlib import import_module

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "webapp.videos"
    label = "videos"

    def ready(self) -> None:
        import_module("webapp.videos.cleanup")  # The import connects signal handlers, which delete files.
