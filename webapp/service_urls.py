"""Reads DATABASE_URL and REDIS_URL, and checks them as far as that is possible without the servers.

Errors never show a URL, because it may contain a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import dj_database_url

from webapp.setting_values import WrongValue

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# The options of a Redis URL that are passed on to its connections.
REDIS_OPTIONS = {
    *("db", "username", "password", "client_name", "health_check_interval", "max_connections", "socket_keepalive"),
    *("socket_connect_timeout", "socket_timeout", "ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile"),
    *("ssl_check_hostname", "ssl_keyfile", "ssl_keyfile_password", "ssl_min_version", "timeout"),
}
# How Postgres and its clients notice that the network between them is cut, unless the address says otherwise. Postgres
# ends a transaction that waits for its client for 30 s, so that the rows that it has locked are free again. A client
# gives up a connection over which nothing came for 30 s.
DATABASE_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
DATABASE_SESSION = "-c idle_in_transaction_session_timeout=30s"
EXTRA = 'Team mode needs further packages: pip install "maskwright[team]".'


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
    if any("\0" in str(settings[part]) for part in ("NAME", "USER", "PASSWORD", "HOST")):
        raise WrongValue("it has a character (%00) that Postgres does not take")
    if not settings["NAME"]:
        raise WrongValue("it names no database")
    options = settings.get("OPTIONS", {})
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise WrongValue(f"its sslmode must be one of {', '.join(SSL_MODES)}")
    if not str(options.get("connect_timeout", "1")).isdecimal():
        raise WrongValue("its connect_timeout must be a number of seconds")
    _check_options(options)
    session = f"{DATABASE_SESSION} {options.get('options', '')}".strip()
    return {**settings, "OPTIONS": {**DATABASE_NETWORK, **options, "options": session}}


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
    if parts.scheme == "unix" and not parts.path:
        raise WrongValue("it names no socket file")
    _check_redis_options(url, parts.query)
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not (database.isdecimal() and int(database) < 2**31):
        raise WrongValue(f"its database must be a number, as in redis://host:6379/0, and is {database!r}")
    return url


def _check_redis_options(url: str, query: str) -> None:
    """Raise WrongValue for options with which no connection can be made. Nothing is sent."""
    from redis import ConnectionPool, RedisError

    unknown = sorted(set(parse_qs(query, keep_blank_values=True)) - REDIS_OPTIONS)
    if unknown:
        raise WrongValue(f"there is no option {unknown[0]!r}")
    try:
        pool = ConnectionPool.from_url(url)
        if any(
            float(pool.connection_kwargs.get(name) or 1) <= 0 for name in ("socket_timeout", "socket_connect_timeout")
        ):
            raise ValueError("a time-out must be above 0")
        pool.make_connection()
    except (TypeError, ValueError, RedisError) as error:
        raise WrongValue(f"one of its options cannot be used ({error})") from None


def redis_database(url: str) -> int:
    """Return the number of the database that a valid Redis URL names; 0 if it names none."""
    from redis.connection import parse_url

    return int(parse_url(url).get("db") or 0)


def _check_scheme(url: str, schemes: tuple[str, ...]) -> None:
    if "://" not in url or url.partition("://")[0] not in schemes:
        raise WrongValue(f"it must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
