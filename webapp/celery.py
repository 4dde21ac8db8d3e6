"""The Celery application. A task carries the id of a row and nothing else: what is to be done is in the database."""

import os

from celery import Celery

from webapp.tasks import folder_broker  # noqa: F401 (gives its transport a name)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("webapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
