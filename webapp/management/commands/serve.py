"""`manage.py serve` starts all of Maskwright: it prepares the data folder, then keeps the processes alive."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from webapp import first_run
from webapp.inference.device import missing_gpu_of_child
from webapp.installation import IN_CLONE
from webapp.operation.upgrade import migrate
from webapp.process.home_lock import HomeInUse, HomeLock
from webapp.process.listening import CannotListen, address_of, listen
from webapp.process.programs import restart_when_edited, studio_programs, vite
from webapp.process.supervisor import Supervisor
from webapp.videos.belonging import refuse_wrong_files

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Start Maskwright: the web process and the workers. Ctrl+C stops them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dev", action="store_true", help="restart processes when their sources change; Vite serves the page"
        )
        parser.add_argument(
            "--no-sample", action="store_true", help="do not create the sample project on the first run"
        )

    def handle(self, *args: Any, dev: bool, no_sample: bool, **options: Any) -> None:
        refuse_what_cannot_work()
        if dev and not IN_CLONE:
            raise CommandError("--dev needs a clone of the repository: a package has no sources of the page.")
        with self._take_place() as listening:
            link = self._prepare(sample=not no_sample)
            connections.close_all()  # the child processes open their own connections
            server = shown = address_of(listening, settings.CONFIG["MASKWRIGHT_HOST"])
            programs = studio_programs(listening)
            if dev:
                program, shown = vite(server)
                programs.append(program)
            supervisor = Supervisor(programs, self.say)
            if dev:
                restart_when_edited(supervisor)
            stop_on_signals(supervisor)
            threading.Thread(target=self._greet, args=(server, shown, link), daemon=True).start()
            supervisor.run()
        self.say("Stopped.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _take_place(self) -> socket.socket:
        """Take the lock of the data folder, then bind the port. Returns the listening socket."""
        host, port = settings.CONFIG["MASKWRIGHT_HOST"], settings.CONFIG["MASKWRIGHT_PORT"]
        self.lock = HomeLock(settings.HOME, "studio")
        try:
            self.lock.take()
            listening = listen(host, port, may_move="MASKWRIGHT_PORT" not in os.environ)
        except (HomeInUse, CannotListen) as problem:
            raise CommandError(str(problem), returncode=2) from None
        self.lock.write(address_of(listening, host))
        return listening

    def _prepare(self, *, sample: bool) -> str | None:
        """Create or update the tables, and on the first run create the owner and the sample project.

        Returns the address of a one-time sign-in link if an active superuser has no password, otherwise None.
        """
        migrate(self.say)
        refuse_wrong_files()
        owner = first_run.make_owner()
        if owner is not None and sample:
            self.say("First run: rendering a sample clip to try things on.")
            first_run.make_sample(owner, self.say)
        return first_run.way_in()

    def _greet(self, server: str, shown: str, link: str | None) -> None:
        """Wait until the web process at `server` answers, then print the address `shown` and any sign-in link."""
        while not answers(server):
            time.sleep(0.05)
        lines = ["", f"Maskwright runs at {shown}"]
        if link is not None:
            lines += ["Sign in with this link. It works once; choose a password when you are in:", f"  {shown}{link}"]
        lines += [f"Data is in {settings.HOME}. Ctrl+C stops it.", ""]
        self.say("\n".join(lines))


def answers(server: str) -> bool:
    try:
        urllib.request.urlopen(f"{server}/plain.css", timeout=2).close()
    except urllib.error.HTTPError:
        return True  # an error status is an answer too
    except OSError:
        return False
    return True


def refuse_what_cannot_work() -> None:
    """Raise CommandError for settings that are valid alone but cannot work together, or not on this machine."""
    if problem := missing_gpu_of_child():
        raise CommandError(problem, returncode=2)
    host = settings.CONFIG["MASKWRIGHT_HOST"]
    if settings.DEBUG and host not in LOOPBACK:
        raise CommandError(
            f"MASKWRIGHT_DEBUG=1 shows the insides of the server to everyone who reaches {host}. "
            "Unset it, or set MASKWRIGHT_HOST=127.0.0.1.",
            returncode=2,
        )
    if settings.CONFIG.https and host in LOOPBACK and not settings.CSRF_TRUSTED_ORIGINS:
        raise CommandError(
            "MASKWRIGHT_HTTPS=1 lets nobody sign in over plain http. Unset it, or put a proxy that speaks https in "
            "front and name its origin in MASKWRIGHT_TRUSTED_ORIGINS.",
            returncode=2,
        )
    if set(settings.ALLOWED_HOSTS) <= {*LOOPBACK, "[::1]"} and host not in LOOPBACK:
        raise CommandError(
            f"MASKWRIGHT_HOST={host} opens the server to others, but MASKWRIGHT_ALLOWED_HOSTS lets only this machine "
            "ask. Set it to the names under which the site is reached, e.g. masks.example.org.",
            returncode=2,
        )


def stop_on_signals(supervisor: Supervisor) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
