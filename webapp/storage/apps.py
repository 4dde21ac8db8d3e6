"""The Django app of stored files. Its table holds the id that a database shares with the files that belong to it."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "webapp.storage"
    label = "storage"
