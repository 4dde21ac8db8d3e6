"""Requests that the server makes to addresses that people gave it: webhooks, and imports from an address.

Such an address could lead into the network of the server, which people outside of it must not reach. So the name is
resolved once, every address that it has is checked, and the connection is made to an address that was checked; a name
that changes its address afterwards changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

import httpx
from django.conf import settings

from webapp.problems import Problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 1000
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """No answer came. The text is a sentence that says why."""


@dataclass(frozen=True)
class Target:
    """A URL and the checked address to which the connection is made."""

    url: SplitResult
    address: Address

    @property
    def host(self) -> str:
        return self.url.hostname or ""

    @property
    def connected_url(self) -> httpx.URL:
        """Return the URL with the checked address in place of the name."""
        return httpx.URL(self.url.geturl()).copy_with(host=str(self.address))


def parse_url(url: str, field: str = "url") -> SplitResult:
    """Return the parts of a URL, without asking the network. Raises Problem "bad_url" for one that cannot work."""
    if len(url) > LONGEST_URL or any(character.isspace() or not character.isprintable() for character in url):
        raise _bad(f"It has spaces or more than {LONGEST_URL} characters.", field)
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise _bad("It has no valid host and port.", field) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad("It begins with https:// or http:// and names a host.", field)
    if parts.username is not None or parts.password is not None:
        raise _bad("It must not contain a name or a password.", field)
    return parts


def check_target(url: str, field: str = "url") -> Target:
    """Resolve the host of a URL and check every address that it has.

    Raises Problem: "bad_url"; "address_unknown" if the name has no address; "address_refused" if one of its addresses
    is not public and not in MASKWRIGHT_ALLOWED_NETWORKS. `field` is what the request calls the address.
    """
    parts = parse_url(url, field)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Problem("address_unknown", f"The host {host[:200]} has no address.", 400, field=field) from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not is_allowed(address):
            text = (
                f"The host {host[:200]} has the address {address}, which is not public. An administrator can allow it "
                "with MASKWRIGHT_ALLOWED_NETWORKS."
            )
            raise Problem("address_refused", text, 400, field=field)
    return Target(parts, addresses[0])


def is_allowed(address: Address) -> bool:
    """Return whether the server may connect to an address: a public one, or one that an administrator has allowed."""
    inner = _inner(address)
    networks = [ipaddress.ip_network(text) for text in settings.CONFIG["MASKWRIGHT_ALLOWED_NETWORKS"]]
    if any(inner in network for network in networks):
        return True
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _inner(address: Address) -> Address:
    """Return the IPv4 address to which an IPv6 address is translated on its way, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


@contextmanager
def request(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> Iterator[httpx.Response]:
    """Make a request to the checked address of `url` and yield its answer, whose body has not been read yet.

    Redirects are not followed: they are answers like others. Raises Problem as `check_target` does, and Unreachable.
    """
    target = check_target(url)
    named = target.url.netloc.rpartition("@")[2]
    given = {"User-Agent": "Maskwright", **(headers or {}), "Host": named}
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False, verify=_certificates()) as client:
            made = client.build_request(
                method,
                target.connected_url,
                headers=given,
                content=content,
                extensions={"sni_hostname": target.host},  # The certificate must be that of the name.
            )
            answer = client.send(made, stream=True)
            try:
                yield answer
            finally:
                answer.close()
    except httpx.TimeoutException:
        raise Unreachable(f"{target.host} did not answer in time.") from None
    except httpx.HTTPError as error:
        raise Unreachable(f"{target.host} cannot be reached: {str(error) or type(error).__name__}.") from None


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates of the authorities that are trusted. Reading them takes some 40 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _bad(why: str, field: str) -> Problem:
    return Problem("bad_url", f"This address cannot be used. {why}", 400, field=field)
