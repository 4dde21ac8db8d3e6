"""Tests of the addresses to which the server connects when a person names them, and of those that it refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from webapp import outgoing
from webapp.problems import Problem


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
        "ff02::1", "fec0::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Problem) as refused:
        outgoing.check_target(f"https://{host}/hook")
    assert refused.value.code == "address_refused"
    assert "MASKWRIGHT_ALLOWED_NETWORKS" in refused.value.text


@pytest.mark.parametrize("written", ["http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://localhost./"])
def test_another_way_of_writing_an_address_is_the_same_address(written: str) -> None:
    with pytest.raises(Problem) as refused:
        outgoing.check_target(written)
    assert refused.value.code in ("address_refused", "address_unknown")


def test_one_private_address_among_public_ones_suffices_to_refuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["8.8.8.8", "10.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (each, 443)) for each in addresses])
    with pytest.raises(Problem, match=r"10\.0\.0\.1"):
        outgoing.check_target("https://masks.example.org/")
    addresses.pop()
    target = outgoing.check_target("https://masks.example.org:8443/a?b=c")
    assert str(target.connected_url) == "https://8.8.8.8:8443/a?b=c"
    assert target.host == "masks.example.org"


@pytest.mark.parametrize(
    "url",
    [
        "", "masks.example.org", "ftp://masks.example.org/", "file:///etc/passwd", "https://", "https://a b/",
        "https://user:word@masks.example.org/", "https://masks.example.org:99999/", "https://masks.example.org:0/",
        "https://[::1", "https://masks.example.org/\n", "https://masks.example.org/" + "a" * 1000,
    ],
)  # fmt: skip
def test_an_address_that_cannot_work_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(Problem) as refused:
        outgoing.check_target(url)
    assert (refused.value.code, refused.value.extra) == ("bad_url", {"field": "url"})


def test_an_administrator_can_allow_networks(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["10.1.0.0/16", "fd00::/8"])
    for address in ("10.1.2.3", "[fd00::1]", "[::ffff:10.1.2.3]"):
        outgoing.check_target(f"https://{address}/")
    with pytest.raises(Problem):
        outgoing.check_target("https://10.2.0.1/")


def test_a_name_with_other_letters_is_sent_and_certified_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 443))])
    target = outgoing.check_target("https://bücher.example:8443/hook")
    assert (target.host, target.named) == ("xn--bcher-kva.example", "xn--bcher-kva.example:8443")
    assert outgoing.check_target("https://[2606:4700::1]/").named == "[2606:4700::1]"


@contextmanager
def dripping(beginning: bytes) -> Iterator[str]:
    """Yield the address of a server that sends `beginning` and then one byte every 20 ms, without an end."""
    ended = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                connection.sendall(beginning)
                while not ended.wait(0.02):
                    connection.sendall(b"1")
            except OSError:
                pass  # The client has broken the connection off, which the test looks for.

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        ended.set()
        thread.join(5)


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nreef\r\n1;",
    ],
)
def test_headers_and_parts_that_come_byte_by_byte_are_broken_off(
    settings: Any, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(outgoing, "STEP_SECONDS", 0.2)
    got: list[bytes] = []
    with (
        dripping(beginning) as address,
        pytest.raises(outgoing.Unreachable, match="in time"),
        outgoing.request("GET", address) as answer,
    ):
        got.extend(answer.parts)
    assert got == ([b"reef"] if b"reef" in beginning else [])


def test_the_bytes_of_a_slow_body_are_given_as_they_come(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    with (
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") as address,
        outgoing.request("GET", address) as answer,
    ):
        assert [len(next(answer.parts)) < 100 for _ in range(3)] == [True] * 3
