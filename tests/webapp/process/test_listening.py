"""Tests of webapp/process/listening.py, which opens the port on which the web process is reached."""

import socket

import pytest

from webapp.process.listening import CannotListen, address_of, listen


def test_it_moves_to_the_next_free_port_where_it_may() -> None:
    with listen("127.0.0.1", 0, may_move=False) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port, may_move=True) as moved:
            assert port < moved.getsockname()[1] < port + 20


def test_a_port_that_was_asked_for_is_refused_with_what_to_do() -> None:
    with listen("127.0.0.1", 0, may_move=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"Port {port} is taken .* MASKWRIGHT_PORT"):
            listen("127.0.0.1", port, may_move=False)


def test_an_address_that_is_not_this_machine_is_refused() -> None:
    with pytest.raises(CannotListen, match=r"Cannot listen on MASKWRIGHT_HOST=192\.0\.2\.1 and port 0"):
        listen("192.0.2.1", 0, may_move=False)


def test_it_accepts_connections_before_the_web_process_runs() -> None:
    """A browser can connect to the open port while no web process runs, and waits for an answer instead of failing."""
    with listen("127.0.0.1", 0, may_move=False) as bound:
        socket.create_connection(bound.getsockname(), timeout=2).close()


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_the_address_can_be_opened(host: str, shown: str) -> None:
    with listen("127.0.0.1", 0, may_move=False) as bound:
        assert address_of(bound, host) == f"{shown}{bound.getsockname()[1]}"
