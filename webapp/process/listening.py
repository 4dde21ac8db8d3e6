"""The listening socket of the web process.

`manage.py serve` binds it once and passes it to the web process, so that the port is kept when that process restarts.
"""

from __future__ import annotations

import errno
import socket

BACKLOG = 2048
PORTS_TO_TRY = 20


class CannotListen(Exception):
    """The socket cannot be bound. The text says why and what to set."""


def listen(host: str, port: int, *, may_move: bool) -> socket.socket:
    """Bind a listening socket to `host` and `port` or, with `may_move`, to the first free port after it.

    Raises CannotListen.
    """
    ports = range(port, min(port + PORTS_TO_TRY, 65536)) if may_move and port else (port,)
    for candidate in ports:
        try:
            return _bind(host, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            what = f"Cannot listen on MASKWRIGHT_HOST={host} and port {candidate}: {error.strerror}."
            raise CannotListen(f"{what} Wanted: an address of this machine, such as 127.0.0.1.") from None
        except UnicodeError:  # Python encodes the name before it asks for its address.
            raise CannotListen(f"MASKWRIGHT_HOST={host} is no name that a machine can have.") from None
    if may_move:
        raise CannotListen(f"The ports {ports[0]} to {ports[-1]} are all taken: set MASKWRIGHT_PORT to a free one.")
    raise CannotListen(f"Port {port} is taken by another program: stop it, or set MASKWRIGHT_PORT to a free one.")


def _bind(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def address_of(bound: socket.socket, host: str) -> str:
    """Return the address for a browser, such as http://127.0.0.1:8710."""
    port = bound.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "localhost"}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
