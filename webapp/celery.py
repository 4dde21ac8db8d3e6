"""The Celery application. A task carries only the id of a row: what a worker has to do is in the database."""

import os

from celery import Celery

from webapp.tasks import folder_broker  # noqa: F401 (registers its broker transport with kombu)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("webapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
