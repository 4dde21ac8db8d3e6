"""All settings, read from the environment once. An error names the variable and says what its value must be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp import setting_values as values
from webapp.mail_url import mail_settings
from webapp.secret_key import read_or_make_key
from webapp.service_urls import check_redis_url, database_settings, redis_database
from webapp.setting_names import mistyped
from webapp.sign_in_settings import SIGN_IN_VARIABLES, contradiction
from webapp.storage.address import bucket_address
from webapp.variable import Variable

DATABASE_FILE = "maskwright.sqlite3"
POOL_SIZE = 24  # connections of one process to Postgres: eight are for the sockets, the others for requests
POOL_SECONDS = 10.0  # A request that gets no connection in this time is answered 503.
CACHE_SECONDS = 1.0  # a shared cache that takes longer to answer counts as unreachable


class BadSetting(Exception):
    """A setting cannot work. The message names the variable, or the file of the secret key, and says what is wrong."""


VARIABLES = (
    Variable(
        "MASKWRIGHT_HOME",
        "",
        values.folder,
        "a folder",
        "Where everything is stored. Default: `data/` in a clone, else the user's data folder.",
    ),
    Variable(
        "MASKWRIGHT_HOST", "127.0.0.1", values.address, "an address", "Address that `manage.py serve` listens on."
    ),
    Variable("MASKWRIGHT_PORT", "8710", values.port, "a port, 0 to 65535", "Port that `manage.py serve` listens on."),
    Variable("MASKWRIGHT_DEBUG", "0", values.flag, "0 or 1", "Django's debug pages. Never on a reachable address."),
    Variable(
        "MASKWRIGHT_SECRET_KEY",
        "",
        values.secret_key,
        "a random text of at least 50 characters",
        "Signs the cookies. Default: generated once into the data folder.",
        secret=True,
    ),
    Variable(
        "MASKWRIGHT_ALLOWED_HOSTS",
        "127.0.0.1,localhost,[::1]",
        values.hosts,
        "host names, comma separated",
        "Host names under which the site may be asked for. `.example.org` includes all names below it.",
    ),
    Variable(
        "MASKWRIGHT_TRUSTED_ORIGINS",
        "",
        values.origins,
        "origins such as https://masks.example.org, comma separated",
        "Further origins that may send forms and open sockets, for example behind a proxy.",
    ),
    Variable(
        "MASKWRIGHT_TRUSTED_PROXIES",
        "",
        values.networks,
        "IP addresses or networks, comma separated",
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. The limits on sign-in need the addresses.",
    ),
    Variable(
        "MASKWRIGHT_ALLOWED_NETWORKS",
        "",
        values.networks,
        "IP addresses or networks, comma separated",
        "Networks that are not public and that webhooks and imports from an address may reach all the same.",
    ),
    Variable(
        "MASKWRIGHT_IMPORT_FOLDER",
        "",
        values.folder,
        "a folder",
        "Whatever lies in it can be brought in by every annotator, without an upload, except what is hidden. "
        "Empty: nothing can.",
    ),
    Variable(
        "MASKWRIGHT_IMPORT_ADDRESSES",
        "0",
        values.flag,
        "0 or 1",
        "Annotators may let the server get files from public addresses (https://...).",
    ),
    Variable(
        "MASKWRIGHT_IMPORT_BUCKETS",
        "",
        values.buckets,
        "names of buckets, or name/folder, comma separated",
        "Every annotator may bring in what lies in these S3-compatible buckets. Needs `maskwright[s3]`.",
    ),
    Variable("MASKWRIGHT_HTTPS", "0", values.flag, "0 or 1", "Cookies are sent over HTTPS only."),
    Variable(
        "DATABASE_URL",
        "",
        lambda url: database_settings(url) if url else None,
        "postgres://user:password@host:5432/name?sslmode=require",
        "Team mode: the Postgres database. Empty: SQLite.",
        secret=True,
    ),
    Variable(
        "REDIS_URL",
        "",
        lambda url: check_redis_url(url) if url else "",
        "redis://:password@host:6379/0",
        "Team mode: broker and channel layer. Empty: embedded.",
        secret=True,
    ),
    Variable(
        "STORAGE_URL",
        "",
        bucket_address,
        "s3://KEY:SECRET@s3.example.org/bucket?region=eu-central-1&direct=0",
        "The bucket (S3 or compatible) that keeps frames, uploads and exports. Empty: the data folder does.",
        secret=True,
    ),
    Variable(
        "MASKWRIGHT_CACHE_MB",
        "20480",
        values.positive,
        "megabytes",
        "With STORAGE_URL: frames that a machine keeps on its own disk.",
    ),
    Variable(
        "EMAIL_URL",
        "",
        mail_settings,
        "smtp+tls://user:password@host:587?from=masks@example.org&site=https://masks.example.org",
        "The server that sends notifications and invitations (also smtp:// and smtps://). Empty: no mail.",
        secret=True,
    ),
    Variable(
        "MASKWRIGHT_WEIGHTS",
        "",
        values.folder,
        "a folder",
        "Where engines look for weights. Default: `weights/` in home.",
    ),
    Variable("MASKWRIGHT_DEVICE", "auto", values.device, "auto, cpu, cuda or cuda:N", "What the worker computes on."),
    Variable("MASKWRIGHT_TORCH_THREADS", "0", values.threads, "a number", "Threads of the worker; 0 = one per core."),
    Variable(
        "MASKWRIGHT_WARM_UP",
        "1",
        values.flag,
        "0 or 1",
        "A worker loads the default engine when it starts, not when asked.",
    ),
    Variable(
        "MASKWRIGHT_MAX_SIDE",
        "0",
        values.integer,
        "pixels",
        "Longest side engines compute at; 0 = the engine's choice.",
    ),
    Variable("MASKWRIGHT_MEMORY_MB", "1024", values.positive, "megabytes", "Cache of one engine session."),
    Variable("MASKWRIGHT_SESSIONS_MB", "3072", values.positive, "megabytes", "All engine sessions a worker keeps."),
    Variable("MASKWRIGHT_MAX_UPLOAD_MB", "2048", values.positive, "megabytes", "Largest upload."),
    Variable("MASKWRIGHT_MAX_FRAMES", "20000", values.positive, "a number", "Most frames of a video."),
    Variable("MASKWRIGHT_MAX_WIDTH", "4096", values.positive, "pixels", "Widest frame."),
    Variable(
        "MASKWRIGHT_MAX_HEIGHT",
        "2304",
        values.positive,
        "pixels",
        "Tallest frame; one that stands may be turned to fit.",
    ),
    Variable(
        "MASKWRIGHT_IMPORT_MEMORY_MB", "2048", values.positive, "megabytes", "Memory that reading one upload may take."
    ),
    Variable(
        "MASKWRIGHT_MASK_IMPORT_MEMORY_MB",
        "512",
        values.positive,
        "megabytes",
        "Memory that reading one file of masks may take.",
    ),
    Variable(
        "MASKWRIGHT_MIN_FREE_MB", "512", values.integer, "megabytes", "Imports stop when less disk would be left."
    ),
    Variable(
        "MASKWRIGHT_METRICS_TOKEN",
        "",
        values.token,
        "a random text of at least 16 letters and digits",
        "Whoever sends it may read /metrics. Empty: administrators alone.",
        secret=True,
    ),
    Variable(
        "MASKWRIGHT_LOG",
        "text",
        values.log_form,
        "text or json",
        "Logs as lines for people, or as a JSON object on each line.",
    ),
    Variable(
        "MASKWRIGHT_ENGINES", "", values.module, "module", "Further engines: a module whose ENGINES is a dict of specs."
    ),
    *SIGN_IN_VARIABLES,
)


@dataclass(frozen=True)
class Configuration:
    """The values of all variables in `VARIABLES`, and the Django settings that follow from them."""

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
        if self.team:
            given = self.values["DATABASE_URL"]
            # Under ASGI each request may have a thread of its own: without a pool, 200 requests at once open 200
            # connections, and Postgres refuses what is above its limit (100 by default).
            pool = {"min_size": 1, "max_size": POOL_SIZE, "timeout": POOL_SECONDS}
            return {**given, "CONN_HEALTH_CHECKS": True, "OPTIONS": {**given["OPTIONS"], "pool": pool}}
        # With Django's defaults concurrent writers fail ("database is locked"); these three settings end that.
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": self.home / DATABASE_FILE,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
            "TEST": {"NAME": os.environ.get("MASKWRIGHT_TEST_DATABASE")},
        }

    @property
    def channel_layer(self) -> dict[str, Any]:
        if not self.team:
            return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
        return {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                # This time-out is longer than the channel layer itself waits for a message.
                "hosts": [{"address": self.values["REDIS_URL"], **self._redis_timeouts(10)}],
                # Redis sends a published message to the clients of all its databases.
                "prefix": f"maskwright{redis_database(self.values['REDIS_URL'])}",
            },
        }

    @property
    def cache(self) -> dict[str, Any]:
        if not self.team:
            return {**self.process_cache, "LOCATION": "shared"}
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.values["REDIS_URL"],
            "OPTIONS": self._redis_timeouts(CACHE_SECONDS),
        }

    @property
    def process_cache(self) -> dict[str, Any]:
        """Return the entry of CACHES for a cache in the memory of one process."""
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # With Django's default of 300, an attacker could evict the count of a name by trying other names.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }

    def _redis_timeouts(self, seconds: float) -> dict[str, float]:
        """Return the time-outs, in seconds, of a connection to Redis. Without them a process waits for a hanging Redis
        forever.
        """
        if self.values["REDIS_URL"].startswith("unix:"):
            return {"socket_timeout": seconds}  # Connecting to a Unix socket has no time-out.
        return {"socket_timeout": seconds, "socket_connect_timeout": min(seconds, 3)}

    @property
    def broker_url(self) -> str:
        url = str(self.values["REDIS_URL"])
        # Celery uses another scheme for a Redis that listens on a Unix socket.
        return url.replace("unix://", "redis+socket://", 1) if url else "folder://localhost"

    @property
    def broker_options(self) -> dict[str, Any]:
        if self.team:
            # The visibility time-out is longer than the longest round. Workers ask Redis with a time-out of one second.
            return {"visibility_timeout": 6 * 3600, **self._redis_timeouts(5)}
        queue = self.home / "queue"
        for folder in (queue / "messages", queue / "control"):
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(queue / "messages"),
            "data_folder_out": str(queue / "messages"),
            "broken_folder": str(queue / "broken"),
            "control_folder": str(queue / "control"),
            "polling_interval": 0.25,  # Usually a bell (webapp/tasks/bell.py) wakes a worker earlier.
        }


def load(environment: Mapping[str, str], default_home: Path) -> Configuration:
    """Read the settings from `environment`. Creates the data folder and, if no secret key is set, a key in it.

    `default_home` is the data folder when MASKWRIGHT_HOME is not set.

    Raises BadSetting for a setting that cannot work.
    """
    if wrong_name := mistyped(environment, {variable.name for variable in VARIABLES}):
        name, meant = wrong_name
        advice = f"Write {meant}, or remove it" if meant else "Remove it, or give it the name of a setting"
        raise BadSetting(f"{name} is set, but no setting has this name. {advice}")
    found = {variable.name: _read(variable, environment) for variable in VARIABLES}
    if bool(found["REDIS_URL"]) != bool(found["DATABASE_URL"]):
        given, missing = ("REDIS_URL", "DATABASE_URL") if found["REDIS_URL"] else ("DATABASE_URL", "REDIS_URL")
        raise BadSetting(f"{given} is set but {missing} is not: team mode needs both, embedded mode neither")
    if wrong := contradiction(found):
        raise BadSetting(wrong)
    home = Path(found["MASKWRIGHT_HOME"] or default_home).expanduser()
    try:
        home = home.resolve()
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)  # an existing folder keeps its mode
        if not found["DATABASE_URL"]:
            _keep_private(home / DATABASE_FILE)
    except (OSError, RuntimeError) as error:  # A link that leads to itself is a RuntimeError.
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise BadSetting(f"MASKWRIGHT_HOME={str(home)!r} cannot be used: {reason}. Wanted: a folder") from None
    return Configuration(found, home, found["MASKWRIGHT_SECRET_KEY"] or _key_of_home(home / "secret_key"))


def _read(variable: Variable, environment: Mapping[str, str]) -> Any:
    given = environment.get(variable.name, "").strip() or variable.default
    what = variable.name if variable.secret else f"{variable.name}={given!r}"
    if not given.isprintable():  # Bytes that are no UTF-8 are read as such characters too.
        raise BadSetting(f"{what} cannot be used: it has characters that no text has. Wanted: {variable.form}")
    try:
        return variable.read(given)
    except values.WrongValue as error:
        raise BadSetting(f"{what} cannot be used: {error}. Wanted: {variable.form}") from None
    except ValueError:
        raise BadSetting(f"{what} cannot be used; wanted: {variable.form}") from None


def _keep_private(path: Path) -> None:
    """Create the database file if needed, and make it readable by its owner only.

    SQLite gives its -wal and -shm files the mode of the database file.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _key_of_home(path: Path) -> str:
    try:
        key = read_or_make_key(path)
    except UnicodeDecodeError:
        raise BadSetting(f"the secret key in {str(path)!r} is no text. Delete the file to get a new one") from None
    except OSError as error:
        raise BadSetting(f"the secret key cannot be kept in {str(path)!r}: {error.strerror}") from None
    try:
        return values.secret_key(key)
    except values.WrongValue as error:
        raise BadSetting(
            f"the secret key in {str(path)!r} cannot be used: {error}. Delete the file to get a new one"
        ) from None
