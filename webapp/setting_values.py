"""Functions that turn the text of an environment variable into a value, and raise ValueError if that is impossible.

The message of a WrongValue is shown to the person. For other ValueErrors, only the form that the value must have is
shown (`Variable.form` in configuration.py).
"""

from __future__ import annotations

import ipaddress
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from webapp import logs

# The limits of Django's check security.W009. Whoever guesses the key can sign in as anybody.
KEY_LENGTH, KEY_CHARACTERS = 50, 5
TOKEN_LENGTH = 16
LARGEST = 10**9  # Numbers above it overflow where they are used, for example as a count of bytes.
HOST_NAME = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?"
DEFAULT_PORT = re.compile(r"^(https://.*):443$|^(http://.*):80$")


class WrongValue(ValueError):
    """A value cannot work. The message says why."""


def text(value: str) -> str:
    return value


def folder(value: str) -> str:
    """Read the path of a folder, which need not exist yet. `~` is the home of the user."""
    if not value:
        return ""
    try:
        path = Path(value).expanduser()
    except RuntimeError:  # The path begins with ~ and the name of a user whom the machine does not have.
        raise WrongValue("there is no such user") from None
    try:
        if path.exists() and not path.is_dir():
            raise WrongValue("there is a file of this name")
    except OSError as error:
        raise WrongValue(f"{error.strerror}".lower()) from None
    return str(path)


def address(value: str) -> str:
    """Read the name or IP address of a network interface."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not re.fullmatch(HOST_NAME, value) or value.startswith("-"):
            raise
    return value


def integer(value: str) -> int:
    number = int(value)
    if not 0 <= number <= LARGEST:
        raise ValueError
    return number


def positive(value: str) -> int:
    number = integer(value)
    if number == 0:
        raise WrongValue("with 0 nothing would be accepted")
    return number


def threads(value: str) -> int:
    number = integer(value)
    if number > 1024:
        raise ValueError
    return number


def token(value: str) -> str:
    """Check a secret that programs send. An empty text means that there is none."""
    if value and (len(value) < TOKEN_LENGTH or not value.isascii() or not value.isprintable() or " " in value):
        raise WrongValue("it can be guessed, or cannot be sent in a header")
    return value


def module(value: str) -> str:
    """Check the dotted name of a module. It is not imported, because that would load PyTorch."""
    if value and not all(part.isidentifier() for part in value.split(".")):
        raise WrongValue("this is no name of a Python module")
    if value and find_spec(value.partition(".")[0]) is None:
        raise WrongValue("no such module is installed")
    return value


def flag(value: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if value.lower() not in known:
        raise ValueError
    return known[value.lower()]


def log_form(value: str) -> str:
    if value not in (logs.TEXT, logs.JSON):
        raise ValueError
    return value


def names(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def port(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def device(value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise ValueError
    return value


def secret_key(value: str) -> str:
    """Check a key for signing cookies. An empty text means that the key is made and kept in the data folder."""
    if value and (len(value) < KEY_LENGTH or len(set(value)) < KEY_CHARACTERS or value.startswith("django-insecure-")):
        raise WrongValue("it can be guessed")
    return value


def hosts(value: str) -> list[str]:
    """Read host names in the form in which Django compares them with the Host header."""
    found = names(value)
    if not found:
        raise WrongValue("without a name nobody could ask for the site")
    for host in found:
        if host == "*":
            raise WrongValue("* accepts every host name, so anybody could make the site write links to another one")
        if not re.fullmatch(rf"\.?{HOST_NAME}", host) and not _is_ipv6(host):
            raise WrongValue(f"{host!r} is no plain host name")
    return found


def _is_ipv6(host: str) -> bool:
    """Return whether `host` is an IPv6 address in the brackets that addresses of pages have."""
    try:
        return host.startswith("[") and host.endswith("]") and bool(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        return False


def origins(value: str) -> list[str]:
    """Read origins, and return them as browsers send them: in lower case, and without the port if it is the default."""
    found = names(value)
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or "*" in origin:
            raise WrongValue(f"{origin!r} is no origin: it begins with https:// or http:// and names one host")
        if origin != f"{parts.scheme}://{parts.netloc}":
            raise WrongValue(f"{origin!r} must end after the host and port")
        host = re.sub(r":[0-9]{1,5}$", "", parts.netloc)
        if not (re.fullmatch(HOST_NAME, host) or _is_ipv6(host)) or (parts.port or 1) > 65535:
            raise WrongValue(f"{origin!r} names no host and port that can exist")
    return [DEFAULT_PORT.sub(r"\1\2", origin.lower()) for origin in found]


def buckets(value: str) -> list[str]:
    """Read names of buckets, each alone or with the folder in it that may be read, such as clips/incoming."""
    found = names(value)
    for part in found:
        name, _, folder = part.partition("/")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) or {".", ".."} & set(folder.split("/")):
            raise ValueError
    if found and find_spec("boto3") is None:
        raise WrongValue("it needs the package boto3, which pip install 'maskwright[s3]' brings")
    return found


def networks(value: str) -> list[str]:
    """Read IP addresses and networks, such as 10.0.0.0/8."""
    return [str(ipaddress.ip_network(part, strict=False)) for part in names(value)]
