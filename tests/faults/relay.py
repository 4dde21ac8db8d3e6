"""A network between two hosts that can be cut and be slow: a program that forwards connections to a server.

Unlike a network namespace it needs no permission of the system, and it works on every machine.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Forwards connections from `port` of this machine to a server on this machine, until `close` is called.

    `delay` is the time in seconds by which everything is late, in each direction. While the network is cut, no data
    arrive, as if packets were lost; only the end of a connection gets through.
    """

    def __init__(self, server_port: int) -> None:
        self.delay = 0.0
        self._server_port = server_port
        self._whole = threading.Event()
        self._whole.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self.mend()
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                time.sleep(self.delay)
                self._whole.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
