"""The child processes of `serve`: a web process, a worker for rounds, one for media and, with `--dev`, Vite."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from django.conf import settings

from webapp.installation import COMMAND_LINE
from webapp.process.listening import listen
from webapp.process.supervisor import Program, Supervisor

VITE_PORT = 5173
# Workers start later, because loading them would delay the page on machines with few cores.
WORKER_DELAY = 1.5
# A shell ends Vite when the parent's pipe closes (webapp/process/lifeline.py), because Vite does not notice that.
VITE_UNTIL_THE_PIPE_CLOSES = (
    'exec 3<&0; (cat <&3 >/dev/null; kill 0) & exec npm run --silent dev -- "$@" </dev/null 3<&-'
)


def studio_programs(listening: socket.socket) -> list[Program]:
    """Return the web process and the workers. `listening` is the open socket for the web process."""
    manage = COMMAND_LINE
    fd = listening.fileno()
    return [
        Program("The web server", (*manage, "web", "--child", "--fd", str(fd)), keep_fds=(fd,)),
        Program("The worker for rounds", (*manage, "worker", "--child", "--queue", "rounds"), delay=WORKER_DELAY),
        Program(
            "The worker for imports and exports", (*manage, "worker", "--child", "--queue", "media"), delay=WORKER_DELAY
        ),
    ]


def vite(server: str) -> tuple[Program, str]:
    """Return Vite and the address at which it serves the page.

    Vite forwards the addresses that Django answers, as far as frontend/vite.config.ts lists them, to `server`.
    """
    with listen("127.0.0.1", VITE_PORT, may_move=True) as free:
        port = free.getsockname()[1]
    arguments = ("--host", "127.0.0.1", "--port", str(port), "--strictPort")
    program = Program(
        "Vite",
        ("sh", "-c", VITE_UNTIL_THE_PIPE_CLOSES, "vite", *arguments),
        environment={"MASKWRIGHT_URL": server},
        folder=settings.BASE_DIR / "frontend",
        reloads=False,
    )
    return program, f"http://127.0.0.1:{port}"


def restart_when_edited(supervisor: Supervisor) -> None:
    """Restart the child processes except Vite whenever Python code, a template or a style sheet changes."""
    threading.Thread(target=_watch, args=(supervisor,), name="watch", daemon=True).start()


def _watch(supervisor: Supervisor) -> None:
    from watchfiles import PythonFilter, watch  # imported here because only `--dev` needs it

    folders: list[Path] = [settings.BASE_DIR / "webapp", settings.BASE_DIR / "segmentation"]
    for _ in watch(*folders, watch_filter=PythonFilter(extra_extensions=(".html", ".css")), raise_interrupt=False):
        supervisor.restart()
