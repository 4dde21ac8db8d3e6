"""Tests of the addresses to which the server may be led by people."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from webapp import outgoing
from webapp.problems import Problem


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
        "ff02::1",
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
