"""Requests that the server makes to addresses that people gave it: webhooks, and imports from an address.

Such an address could lead into the network of the server, which people outside of it must not reach. So the name is
resolved once, every address that it has is checked, and the connection is made to an address that was checked; a name
that changes its address afterwards changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from webapp.problems import Problem

if TYPE_CHECKING:  # It is imported when it is needed, because the web process starts faster without it.
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 1000
SECONDS, CONNECT_SECONDS = 10.0, 5.0  # The longest wait for further bytes of an answer, and for the connection.
STEP_SECONDS = 15.0  # The most that the headers of an answer, or one part of its body, may take to come.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """No answer came, or it broke off. The text is a sentence that says why."""


@dataclass(frozen=True)
class Target:
    """A URL and the checked address to which the connection is made."""

    url: SplitResult
    address: Address

    @property
    def host(self) -> str:
        """Return the name of the host in ASCII: other letters are encoded as IDNA says."""
        return _ascii_host(self.url)

    @property
    def named(self) -> str:
        """Return the host and the port as the header Host names them."""
        import httpx

        return httpx.URL(self.url.geturl()).netloc.decode("ascii")

    @property
    def connected_url(self) -> httpx.URL:
        """Return the URL with the checked address in place of the name."""
        import httpx

        return httpx.URL(self.url.geturl()).copy_with(host=str(self.address))


def parse_url(url: str, field: str = "url") -> SplitResult:
    """Return the parts of a URL, without asking the network. Raises Problem "bad_url" for one that cannot work."""
    import httpx

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
    host = _ascii_host(parts)
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
    if isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local:
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _inner(address: Address) -> Address:
    """Return the IPv4 address to which an IPv6 address is translated on its way, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def _ascii_host(parts: SplitResult) -> str:
    import httpx

    return httpx.URL(parts.geturl()).raw_host.decode("ascii")


class _Deadline:
    """Breaks a connection off when a step of it takes more than STEP_SECONDS.

    The read timeout of a socket begins anew with each byte, so it does not end an answer that comes byte by byte.
    """

    def __init__(self) -> None:
        self.passed = False
        self._until: float | None = time.monotonic() + STEP_SECONDS  # None: the other side is not waited for.
        self._socket: socket.socket | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the socket of the connection. This is the function for the extension "trace" of httpx."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.passed:
                self._break_off()

    def begin_step(self) -> None:
        self._until = time.monotonic() + STEP_SECONDS

    def end_step(self) -> None:
        self._until = None

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(min(STEP_SECONDS, 1.0)):
            until = self._until
            if until is not None and time.monotonic() > until:
                self.passed = True
                self._break_off()
                return

    def _break_off(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # It is closed already.
                # The method of a TLS socket would forget its encryption while the other thread reads with it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@dataclass(frozen=True)
class Answer:
    """An answer whose body has not been read: iterating over `parts` reads its bytes from the connection."""

    response: httpx.Response
    parts: Iterator[bytes]


@contextmanager
def request(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> Iterator[Answer]:
    """Make a request to the checked address of `url` and yield its answer, whose body has not been read yet.

    The headers and each part of the body must come within STEP_SECONDS. How long the whole body may take is for the
    caller to say. Redirects are not followed: they are answers like others. Raises what `check_target` raises, and
    Unreachable.
    """
    import httpx

    target = check_target(url)
    given = {"User-Agent": "Maskwright", **(headers or {}), "Host": target.named}
    deadline = _Deadline()
    late = f"{target.host} did not answer in time."
    try:
        timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
        with httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False, verify=_certificates()) as client:
            made = client.build_request(
                method,
                target.connected_url,
                headers=given,
                content=content,
                # The certificate must be that of the name.
                extensions={"sni_hostname": target.host, "trace": deadline.trace},
            )
            response = client.send(made, stream=True)
            deadline.end_step()
            try:
                yield Answer(response, _parts(response, deadline, late))
            finally:
                response.close()
    except httpx.TimeoutException:
        raise Unreachable(late) from None
    except httpx.HTTPError as error:
        if deadline.passed:
            raise Unreachable(late) from None
        raise Unreachable(f"{target.host} cannot be reached: {str(error) or type(error).__name__}.") from None
    finally:
        deadline.end()


def _parts(response: httpx.Response, deadline: _Deadline, late: str) -> Iterator[bytes]:
    """Yield the body as it comes. Raises Unreachable if it was broken off, which may look like the end of the body."""
    deadline.begin_step()
    for part in response.iter_raw():
        deadline.end_step()
        yield part
        deadline.begin_step()
    deadline.end_step()
    if deadline.passed:
        raise Unreachable(late)


@cache
def _certificates() -> ssl.SSLContext:
    """Return the TLS settings, with the certificates of trusted authorities. Reading them takes some 40 ms."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _bad(why: str, field: str) -> Problem:
    return Problem("bad_url", f"This address cannot be used. {why}", 400, field=field)
