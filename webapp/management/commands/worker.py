"""`manage.py worker`: one Celery worker, one task at a time. One for rounds on each GPU, one or more for media."""

from __future__ import annotations

import os
import socket
import warnings
from typing import Any

from celery.platforms import SecurityWarning
from django.core.management.base import BaseCommand, CommandParser

from webapp.celery import app
from webapp.process.lifeline import follow_parent

QUEUES = ("rounds", "media")


class Command(BaseCommand):
    help = "Work on rounds (engines), or on media (imports and exports)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", choices=QUEUES, default="rounds")
        parser.add_argument("--child", action="store_true", help="end when standard input closes")

    def handle(self, *args: Any, queue: str, child: bool, **options: Any) -> None:
        if child:
            follow_parent()
        # Celery warns of root because a pickled message could run code; ours are JSON (CELERY_ACCEPT_CONTENT).
        warnings.simplefilter("ignore", SecurityWarning)
        app.worker_main(worker_arguments(queue))


def worker_arguments(queue: str) -> list[str]:
    """Arguments of Celery's own program. No gossip and the like: workers know of each other through the database."""
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
