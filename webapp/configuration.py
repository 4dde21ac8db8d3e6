"""What a person can set, in one table, read from the environment once. A bad value names the variable and the form."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

POOL_SIZE = 24  # connections of one process to Postgres: eight belong to the sockets, the rest serves requests
POOL_SECONDS = 10.0  # A request that gets no connection in this time is answered 503.
CACHE_SECONDS = 1.0  # a shared cache that answers later counts as one that is away


class BadSetting(Exception):
    """A variable has a value that cannot work; the text says which, and what is wanted."""


def _text(value: str) -> str:
    return value


def _integer(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _flag(value: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[value.lower()]


def _names(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _port(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def _device(value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise ValueError
    return value


@dataclass(frozen=True)
class Variable:
    """One row of the table: name, default as text, how to read it, the form in words, what it does."""

    name: str
    default: str
    read: Callable[[str], Any]
    form: str
    help: str


VARIABLES = (
    Variable(
        "MASKWRIGHT_HOME", "", _text, "a folder", "Where everything is stored. Default: `data/` beside manage.py."
    ),
    Variable("MASKWRIGHT_HOST", "127.0.0.1", _text, "an address", "Address that `manage.py studio` listens on."),
    Variable("MASKWRIGHT_PORT", "8710", _port, "a port, 0 to 65535", "Port that `manage.py studio` listens on."),
    Variable("MASKWRIGHT_DEBUG", "0", _flag, "0 or 1", "Django's debug pages. Never on a reachable address."),
    Variable(
        "MASKWRIGHT_SECRET_KEY", "", _text, "a text", "Signing key. Default: generated once into the data folder."
    ),
    Variable(
        "MASKWRIGHT_ALLOWED_HOSTS",
        "127.0.0.1,localhost,[::1]",
        _names,
        "names, comma separated",
        "Host names under which the site may be asked for.",
    ),
    Variable(
        "MASKWRIGHT_TRUSTED_ORIGINS",
        "",
        _names,
        "origins, comma separated",
        "Further origins (https://…) that may post and open sockets, behind a proxy say.",
    ),
    Variable("MASKWRIGHT_HTTPS", "0", _flag, "0 or 1", "Cookies are sent over HTTPS only."),
    Variable("DATABASE_URL", "", _text, "postgres://…", "Team mode: the Postgres database. Empty: SQLite."),
    Variable("REDIS_URL", "", _text, "redis://…", "Team mode: broker and channel layer. Empty: embedded."),
    Variable(
        "MASKWRIGHT_WEIGHTS", "", _text, "a folder", "Where engines look for weights. Default: `weights/` in home."
    ),
    Variable("MASKWRIGHT_DEVICE", "auto", _device, "auto, cpu, cuda or cuda:N", "What the worker computes on."),
    Variable("MASKWRIGHT_TORCH_THREADS", "0", _integer, "a number", "Threads of the worker; 0 = one per core."),
    Variable(
        "MASKWRIGHT_WARM_UP", "1", _flag, "0 or 1", "A worker loads the default engine when it starts, not when asked."
    ),
    Variable(
        "MASKWRIGHT_MAX_SIDE", "0", _integer, "pixels", "Longest side engines compute at; 0 = the engine's choice."
    ),
    Variable("MASKWRIGHT_MEMORY_MB", "1024", _integer, "megabytes", "Cache of one engine session."),
    Variable("MASKWRIGHT_SESSIONS_MB", "3072", _integer, "megabytes", "All engine sessions a worker keeps."),
    Variable("MASKWRIGHT_MAX_UPLOAD_MB", "2048", _integer, "megabytes", "Largest upload."),
    Variable("MASKWRIGHT_MAX_FRAMES", "20000", _integer, "a number", "Most frames of a video."),
    Variable("MASKWRIGHT_MAX_WIDTH", "4096", _integer, "pixels", "Widest frame."),
    Variable(
        "MASKWRIGHT_MAX_HEIGHT", "2304", _integer, "pixels", "Tallest frame; one that stands may be turned to fit."
    ),
    Variable("MASKWRIGHT_IMPORT_MEMORY_MB", "2048", _integer, "megabytes", "Memory that reading one upload may take."),
    Variable("MASKWRIGHT_MIN_FREE_MB", "512", _integer, "megabytes", "Imports stop when less disk would be left."),
    Variable("MASKWRIGHT_ENGINES", "", _text, "module", "Further engines: a module whose ENGINES is a dict of specs."),
)


@dataclass(frozen=True)
class Configuration:
    """The table's values, read and checked, and what follows from them."""

    values: Mapping[str, Any]
    home: Path
    secret_key: str

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def team(self) -> bool:
        return bool(self.values["REDIS_URL"])

    @property
    def debug(self) -> bool:
        return bool(self.values["MASKWRIGHT_DEBUG"])

    @property
    def https(self) -> bool:
        return bool(self.values["MASKWRIGHT_HTTPS"])

    @property
    def allowed_hosts(self) -> list[str]:
        return list(self.values["MASKWRIGHT_ALLOWED_HOSTS"])

    @property
    def trusted_origins(self) -> list[str]:
        return list(self.values["MASKWRIGHT_TRUSTED_ORIGINS"])

    @property
    def weights(self) -> Path:
        return Path(self.values["MASKWRIGHT_WEIGHTS"] or self.home / "weights")

    @property
    def database(self) -> dict[str, Any]:
        url = self.values["DATABASE_URL"]
        if not url:
            # With Django's defaults concurrent writers fail ("database is locked"); these three settings end that.
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": self.home / "maskwright.sqlite3",
                "OPTIONS": {
                    "timeout": 20,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
                "TEST": {"NAME": os.environ.get("MASKWRIGHT_TEST_DATABASE")},
            }
        parts = urlsplit(url)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            # Under ASGI each request may have a thread of its own: without a pool, 200 requests at once open 200
            # connections, and Postgres refuses what is above its limit (100 by default).
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": POOL_SIZE, "timeout": POOL_SECONDS}},
        }

    @property
    def channel_layer(self) -> dict[str, Any]:
        if not self.team:
            return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
        return {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [self.values["REDIS_URL"]]},
        }

    @property
    def cache(self) -> dict[str, Any]:
        if not self.team:
            return {**self.process_cache, "LOCATION": "shared"}
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.values["REDIS_URL"],
            "OPTIONS": {"socket_timeout": CACHE_SECONDS, "socket_connect_timeout": CACHE_SECONDS},
        }

    @property
    def process_cache(self) -> dict[str, Any]:
        """A cache in the memory of one process."""
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Django's default of 300 would let a guesser push the count of one name out with tries of others.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }

    @property
    def broker_url(self) -> str:
        url = str(self.values["REDIS_URL"])
        # Celery has a name of its own for a Redis that listens on a socket file.
        return url.replace("unix://", "redis+socket://", 1) if url else "filesystem://localhost"

    @property
    def broker_options(self) -> dict[str, Any]:
        if self.team:
            return {"visibility_timeout": 6 * 3600}  # above the longest round
        queue = self.home / "queue"
        for folder in (queue / "messages", queue / "done", queue / "control"):
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(queue / "messages"),
            "data_folder_out": str(queue / "messages"),
            "processed_folder": str(queue / "done"),
            "control_folder": str(queue / "control"),
            "polling_interval": 0.05,
        }


def load(environment: Mapping[str, str], base: Path) -> Configuration:
    """Read the table from `environment`. Creates the data folder and, the first time, the secret key in it."""
    values = {variable.name: _read(variable, environment) for variable in VARIABLES}
    if bool(values["REDIS_URL"]) != bool(values["DATABASE_URL"]):
        given, missing = ("REDIS_URL", "DATABASE_URL") if values["REDIS_URL"] else ("DATABASE_URL", "REDIS_URL")
        raise BadSetting(f"{given} is set but {missing} is not: team mode needs both, embedded mode neither")
    for name, schemes in (("DATABASE_URL", ("postgres", "postgresql")), ("REDIS_URL", ("redis", "rediss", "unix"))):
        if values[name] and urlsplit(values[name]).scheme not in schemes:
            raise BadSetting(f"{name} must begin with {' or '.join(s + '://' for s in schemes)}")
    home = Path(values["MASKWRIGHT_HOME"] or base / "data").expanduser().resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"MASKWRIGHT_HOME={str(home)!r} cannot be made: {error.strerror}") from None
    return Configuration(values, home, values["MASKWRIGHT_SECRET_KEY"] or _secret_key(home / "secret_key"))


def _read(variable: Variable, environment: Mapping[str, str]) -> Any:
    given = environment.get(variable.name, "").strip() or variable.default
    try:
        return variable.read(given)
    except (ValueError, KeyError):
        raise BadSetting(f"{variable.name}={given!r} cannot be used; wanted: {variable.form}") from None


def _secret_key(path: Path) -> str:
    """The key in `path`, made on first use, readable by its owner alone. Two processes that race agree on one."""
    try:
        return _key_in(path) or _make_key(path)
    except OSError as error:
        raise BadSetting(f"the secret key cannot be kept in {str(path)!r}: {error.strerror}") from None


def _key_in(path: Path) -> str:
    """Empty when there is none: a disk that was full, or a machine that fell, may leave an empty file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _make_key(path: Path) -> str:
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever waited here finds the other's key. Not in `lock`: that file has been replaced.
        if key := _key_in(path):
            return key
        key = secrets.token_urlsafe(50)
        descriptor, beside = tempfile.mkstemp(prefix=".secret_key-", dir=path.parent)
        try:
            with open(descriptor, "w") as file:
                file.write(key)
                file.flush()
                os.fsync(descriptor)
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    return key
