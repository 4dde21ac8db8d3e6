"""The Celery application. A task carries at most the id of a row, and whether another worker has chosen this worker for
it: what a worker has to do is in the database.
"""

import logging
import os
from typing import Any

import structlog
from celery import Celery, signals

from webapp import logs
from webapp.tasks import folder_broker  # noqa: F401 (registers its broker transport with kombu)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("webapp", task_cls="webapp.tasks.intake:RefusableTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.task_prerun.connect
def _name_task(task: Any, args: Any, **_: Any) -> None:
    """Let everything that a worker logs from now on name its task."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, row=args[0] if args else None)


@signals.task_postrun.connect
def _forget_task(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()


@signals.after_setup_logger.connect
def _write_as_other_programs(logger: logging.Logger, **_: Any) -> None:
    from django.conf import settings

    for handler in logger.handlers:
        handler.setFormatter(logs.formatter(settings.CONFIG["MASKWRIGHT_LOG"]))
