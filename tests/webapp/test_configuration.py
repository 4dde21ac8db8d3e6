"""Tests of webapp/configuration.py, which reads and checks the settings in environment variables."""

import os
import stat
from pathlib import Path

import pytest

from webapp.configuration import DATABASE_FILE, POOL_SIZE, BadSetting, load
from webapp.service_urls import DATABASE_NETWORK

TEAM = {"REDIS_URL": "redis://cache:6379/0", "DATABASE_URL": "postgres://jo%40n:p%2Fw@db:5433/masks"}


def test_nothing_set_means_embedded_in_the_default_home(tmp_path: Path) -> None:
    configuration = load({}, tmp_path / "data")
    assert configuration.home == tmp_path / "data"
    assert not configuration.team
    assert configuration.database["ENGINE"].endswith("sqlite3")
    assert configuration.broker_url.startswith("folder://")
    assert "InMemory" in configuration.channel_layer["BACKEND"]
    assert Path(configuration.broker_options["data_folder_in"]).is_dir()


def test_both_addresses_mean_team_mode(tmp_path: Path) -> None:
    configuration = load(TEAM, tmp_path / "data")
    assert configuration.team
    assert configuration.broker_url == TEAM["REDIS_URL"]
    assert configuration.channel_layer["CONFIG"]["hosts"][0]["address"] == TEAM["REDIS_URL"]
    database = configuration.database
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "masks",
        "jo@n",
        "p/w",
        "db",
        "5433",
    ]


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("redis://cache", "maskwright0"),
        ("redis://cache:6379/3", "maskwright3"),
        ("unix:///run/redis.sock?db=2", "maskwright2"),
    ],
)
def test_messages_do_not_reach_an_installation_in_another_database_of_the_same_redis(
    url: str, prefix: str, tmp_path: Path
) -> None:
    assert load({**TEAM, "REDIS_URL": url}, tmp_path).channel_layer["CONFIG"]["prefix"] == prefix


def test_celery_gets_its_own_name_for_a_redis_on_a_socket(tmp_path: Path) -> None:
    assert (
        load({**TEAM, "REDIS_URL": "unix:///run/redis.sock"}, tmp_path / "data").broker_url
        == "redis+socket:///run/redis.sock"
    )


@pytest.mark.parametrize("missing", ["REDIS_URL", "DATABASE_URL"])
def test_half_a_team_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(BadSetting, match=f"{missing} is not"):
        load({name: value for name, value in TEAM.items() if name != missing}, tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MASKWRIGHT_PORT", "eighty", "a port"),
        ("MASKWRIGHT_PORT", "70000", "a port"),
        ("MASKWRIGHT_DEBUG", "maybe", "0 or 1"),
        ("MASKWRIGHT_DEVICE", "gpu", "cuda:N"),
        ("MASKWRIGHT_MAX_FRAMES", "-1", "a number"),
        ("MASKWRIGHT_ALLOWED_HOSTS", "*", "accepts every host name"),
        ("MASKWRIGHT_ALLOWED_HOSTS", "masks.example.org,*", "accepts every host name"),
        ("MASKWRIGHT_ALLOWED_HOSTS", "*.example.org", "is no plain host name"),
        ("MASKWRIGHT_ALLOWED_HOSTS", "https://masks.example.org", "is no plain host name"),
        ("MASKWRIGHT_ALLOWED_HOSTS", "masks.example.org:8710", "is no plain host name"),
        ("MASKWRIGHT_TRUSTED_ORIGINS", "masks.example.org", "begins with https:// or http://"),
        ("MASKWRIGHT_TRUSTED_ORIGINS", "https://", "begins with https:// or http://"),
        ("MASKWRIGHT_TRUSTED_ORIGINS", "https://*.example.org", "names one host"),
        ("MASKWRIGHT_TRUSTED_ORIGINS", "https://masks.example.org/", "must end after the host and port"),
        ("MASKWRIGHT_TRUSTED_PROXIES", "proxy", "IP addresses or networks"),
        ("MASKWRIGHT_TRUSTED_PROXIES", "10.0.0.0/33", "IP addresses or networks"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_the_form(
    tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        load({name: value}, tmp_path / "data")
    assert name in str(refused.value)
    assert value in str(refused.value)
    assert wanted in str(refused.value)


@pytest.mark.parametrize("name", ["REDIS_URL", "DATABASE_URL"])
def test_an_address_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} cannot be used: it must begin with"):
        load({**TEAM, name: "mysql://x/y"}, tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "url", "wrong"),
    [
        ("DATABASE_URL", "postgres://jo:hidden@db:port/masks", "cannot be read"),
        ("DATABASE_URL", "postgres://jo:hidden@db:99999/masks", "cannot be read"),
        ("DATABASE_URL", "postgres://jo:hidden@[db/masks", "cannot be read"),
        ("DATABASE_URL", "postgres://jo:hidden@db", "names no database"),
        ("DATABASE_URL", "postgres:masks", "must begin with"),
        ("DATABASE_URL", "postgres://jo:hidden@db/masks?sslmode=on", "sslmode must be one of"),
        ("DATABASE_URL", "postgres://jo:hidden@db/masks?sslmod=require", "does not know one of its options"),
        ("REDIS_URL", "redis://:hidden@cache:port/0", "cannot be read"),
        ("REDIS_URL", "redis://:hidden@cache:6379/zero", "must be a number"),
        ("REDIS_URL", "redis://", "names no host"),
        ("REDIS_URL", "redis://:hidden@cache/0?socket_timeout=soon", "cannot be read"),
    ],
)
def test_an_address_that_cannot_work_is_refused_and_its_password_not_shown(
    tmp_path: Path, name: str, url: str, wrong: str
) -> None:
    with pytest.raises(BadSetting, match=f"{name} cannot be used: .*{wrong}") as refused:
        load({**TEAM, name: url}, tmp_path / "data")
    assert "hidden" not in str(refused.value)


def test_the_options_of_the_database_address_are_honoured(tmp_path: Path) -> None:
    url = "postgresql://jo@db/masks?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&connect_timeout=5&options=-c%20work_mem%3D64MB"
    options = load({**TEAM, "DATABASE_URL": url}, tmp_path / "data").database["OPTIONS"]
    assert options.pop("pool")["max_size"] == POOL_SIZE
    assert options == {
        **DATABASE_NETWORK,
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
        "connect_timeout": 5,
        "options": "-c idle_in_transaction_session_timeout=30s -c work_mem=64MB",
    }


def test_a_database_on_a_socket_file_has_its_folder_for_a_host(tmp_path: Path) -> None:
    url = "postgres://jo@%2Frun%2Fpostgresql/masks"
    assert load({**TEAM, "DATABASE_URL": url}, tmp_path / "data").database["HOST"] == "/run/postgresql"


def test_hosts_origins_and_proxies_that_can_work_are_taken(tmp_path: Path) -> None:
    configuration = load(
        {
            "MASKWRIGHT_ALLOWED_HOSTS": "masks.example.org, .example.com,192.0.2.7,[::1],localhost",
            "MASKWRIGHT_TRUSTED_ORIGINS": "https://Masks.example.org:443, http://localhost:5173",
            "MASKWRIGHT_TRUSTED_PROXIES": "192.0.2.1, 10.1.2.3/8,2001:db8::/32",
        },
        tmp_path / "data",
    )
    assert configuration.allowed_hosts == ["masks.example.org", ".example.com", "192.0.2.7", "[::1]", "localhost"]
    assert configuration.trusted_origins == ["https://masks.example.org", "http://localhost:5173"]
    assert configuration["MASKWRIGHT_TRUSTED_PROXIES"] == ["192.0.2.1/32", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    "key", ["a", "a" * 60, "abcd" * 20, "x" * 20 + "0123456789", "django-insecure-" + "0123456789" * 5]
)
def test_a_secret_key_that_can_be_guessed_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSetting, match="MASKWRIGHT_SECRET_KEY cannot be used: it can be guessed") as refused:
        load({"MASKWRIGHT_SECRET_KEY": key}, tmp_path / "data")
    assert len(key) == 1 or key not in str(refused.value)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "secret_key").write_text(key)
    with pytest.raises(BadSetting, match=r"secret_key.*can be guessed.*Delete the file"):
        load({}, tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_data_folder_and_its_database_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        home = load({}, tmp_path / "data").home
    finally:
        os.umask(before)
    assert (mode(home), mode(home / DATABASE_FILE)) == (0o700, 0o600)


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir(mode=0o755)
    files = [home / DATABASE_FILE, home / f"{DATABASE_FILE}-wal", home / f"{DATABASE_FILE}-shm"]
    for file in files:
        file.write_bytes(b"kept")
        file.chmod(0o644)
    load({}, tmp_path / "data")
    assert [(mode(file), file.read_bytes()) for file in files] == [(0o600, b"kept")] * 3
    assert mode(home) == 0o755, "a folder that is there has the mode that somebody gave it"


def test_team_mode_makes_no_database_file(tmp_path: Path) -> None:
    assert not (load(TEAM, tmp_path / "data").home / DATABASE_FILE).exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="MASKWRIGHT_HOME"):
        load({"MASKWRIGHT_HOME": str(tmp_path / "file" / "home")}, tmp_path / "data")
