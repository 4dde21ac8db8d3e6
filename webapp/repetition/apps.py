"""The Django app of repeated calls: the answers that are kept for the header Idempotency-Key."""

from django.apps import AppConfig


class RepetitionConfig(AppConfig):
    name = "webapp.repetition"
    label = "repetition"
