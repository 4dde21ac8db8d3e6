"""`manage.py worker`: a Celery worker that runs one task at a time.

Run one worker for rounds on each GPU, and one worker for media.
"""

from __future__ import annotations

import os
import socket
import sys
import warnings
from typing import Any

from celery.platforms import SecurityWarning
from celery.signals import celeryd_init
from django.core.management.base import BaseCommand, CommandParser

from webapp.celery import app
from webapp.operation.upgrade import refuse_other_tables
from webapp.process.lifeline import follow_parent

QUEUES = ("rounds", "media")
MEDIA_NICENESS = 5  # On a machine with few cores, rounds get the processor before imports and exports.


class Command(BaseCommand):
    help = "Run the tasks of one queue: rounds (engines) or media (imports and exports)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", choices=QUEUES, default="rounds")
        parser.add_argument(
            "--child",
            action="store_true",
            help="end when standard input is closed, as it is when the parent process dies",
        )

    def handle(self, *args: Any, queue: str, child: bool, **options: Any) -> None:
        if child:
            follow_parent()
        refuse_other_tables()
        if queue == "media" and hasattr(os, "nice"):
            os.nice(MEDIA_NICENESS)
        # Celery warns root users because a pickled message could run code. Our messages are JSON
        # (CELERY_ACCEPT_CONTENT).
        warnings.simplefilter("ignore", SecurityWarning)
        started: list[Any] = []
        celeryd_init.connect(lambda instance, **_: started.append(instance), weak=False)
        app.worker_main(worker_arguments(queue))
        sys.exit(started[0].exitcode or 0)  # `worker_main` does not return it.


def worker_arguments(queue: str) -> list[str]:
    """Return the arguments of the celery program. Gossip is off, because workers find each other in the database."""
    return [
        "--quiet",
        "worker",
        *("--pool", "solo"),
        *("--concurrency", "1"),
        *("--queues", queue),
        *("--hostname", f"{queue}-{os.getpid()}@{socket.gethostname()}"),
        *("--loglevel", "WARNING"),
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
