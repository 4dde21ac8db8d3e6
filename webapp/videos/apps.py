"""Django app: videos, uploads, import, frames on disk."""

from importlib import import_module

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "webapp.videos"
    label = "videos"

    def ready(self) -> None:
        import_module("webapp.videos.cleanup")  # connects its signals
