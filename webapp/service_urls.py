"""Reads DATABASE_URL and REDIS_URL, and checks them as far as that is possible without the servers.

Errors never show a URL, because it may contain a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from webapp.setting_values import WrongValue

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
EXTRA = 'Team mode needs further packages: pip install -e ".[team]".'


def database_settings(url: str) -> dict[str, Any]:
    """Return Django's settings for the Postgres database that `url` names. Raises WrongValue if it cannot work."""
    _check_scheme(url, ("postgres", "postgresql"))
    try:
        settings: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise WrongValue(
            "it cannot be read; characters such as @ : / in a password are written as %40 %3A %2F"
        ) from None
    settings["PORT"] = str(settings["PORT"])
    if not settings["NAME"]:
        raise WrongValue("it names no database")
    options = settings.get("OPTIONS", {})
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise WrongValue(f"its sslmode must be one of {', '.join(SSL_MODES)}")
    _check_options(options)
    return settings


def _check_options(options: dict[str, Any]) -> None:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import make_conninfo
    except ImportError:
        raise WrongValue(EXTRA) from None
    try:
        make_conninfo(**options)
    except ProgrammingError as error:
        raise WrongValue(f"Postgres does not know one of its options ({str(error).strip()})") from None


def check_redis_url(url: str) -> str:
    """Check the URL of a Redis server and return it. Raises WrongValue for a URL that cannot work."""
    _check_scheme(url, ("redis", "rediss", "unix"))
    try:
        from redis.connection import parse_url
    except ImportError:
        raise WrongValue(EXTRA) from None
    try:
        parse_url(url)
        parts = urlsplit(url)
        if parts.port == 0:
            raise ValueError
    except ValueError:
        raise WrongValue(
            "it cannot be read; characters such as @ : / in a password are written as %40 %3A %2F"
        ) from None
    if parts.scheme != "unix" and not parts.hostname:
        raise WrongValue("it names no host")
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not database.isdigit():
        raise WrongValue(f"its database must be a number, as in redis://host:6379/0, and is {database!r}")
    return url


def redis_database(url: str) -> int:
    """Return the number of the database that a valid Redis URL names; 0 if it names none."""
    from redis.connection import parse_url

    return int(parse_url(url).get("db") or 0)


def _check_scheme(url: str, schemes: tuple[str, ...]) -> None:
    if "://" not in url or url.partition("://")[0] not in schemes:
        raise WrongValue(f"it must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
