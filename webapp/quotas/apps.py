"""The Django app of quotas: limits on the frames, the bytes and the computing time of each project and person."""

from django.apps import AppConfig


class QuotasConfig(AppConfig):
    name = "webapp.quotas"
    label = "quotas"
