"""`manage.py web`: the web process alone. `manage.py serve` starts it as a child process."""

from __future__ import annotations

import socket
from importlib import import_module
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.operation.upgrade import refuse_other_tables
from webapp.process.lifeline import follow_parent
from webapp.process.listening import CannotListen, listen
from webapp.process.loading import without_collecting

GRACE_SECONDS = 2  # for open requests when the process is asked to end; browsers reconnect their sockets


class Command(BaseCommand):
    help = "Serve the page, the REST calls and the sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fd",
            type=int,
            help="file descriptor of a listening socket to serve, instead of MASKWRIGHT_HOST and MASKWRIGHT_PORT",
        )
        parser.add_argument(
            "--child",
            action="store_true",
            help="end when standard input is closed, as it is when the parent process dies",
        )

    def handle(self, *args: Any, fd: int | None, child: bool, **options: Any) -> None:
        if child:
            follow_parent()
        refuse_other_tables()
        config = uvicorn.Config(
            "webapp.asgi:application",
            log_config=None,  # webapp/logs.py says how its loggers write
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # webapp/asgi.py reads these headers, from trusted proxies only
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        with without_collecting():
            config.load()
            import_module(settings.ROOT_URLCONF)
        uvicorn.Server(config).run(sockets=[_socket(fd)])


def _socket(fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    try:
        return listen(settings.CONFIG["MASKWRIGHT_HOST"], settings.CONFIG["MASKWRIGHT_PORT"], may_move=False)
    except CannotListen as problem:
        raise CommandError(str(problem), returncode=2) from None
