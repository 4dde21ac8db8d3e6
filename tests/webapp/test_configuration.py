"""webapp/configuration.py"""

import stat
from pathlib import Path

import pytest

from webapp.configuration import BadSetting, load

TEAM = {"REDIS_URL": "redis://cache:6379/0", "DATABASE_URL": "postgres://jo%40n:p%2Fw@db:5433/masks"}


def test_nothing_set_means_embedded_below_the_base(tmp_path: Path) -> None:
    configuration = load({}, tmp_path)
    assert configuration.home == tmp_path / "data"
    assert not configuration.team
    assert configuration.database["ENGINE"].endswith("sqlite3")
    assert configuration.broker_url.startswith("filesystem://")
    assert "InMemory" in configuration.channel_layer["BACKEND"]
    assert Path(configuration.broker_options["data_folder_in"]).is_dir()


def test_both_addresses_mean_team_mode(tmp_path: Path) -> None:
    configuration = load(TEAM, tmp_path)
    assert configuration.team
    assert configuration.broker_url == TEAM["REDIS_URL"]
    assert configuration.channel_layer["CONFIG"]["hosts"] == [TEAM["REDIS_URL"]]
    database = configuration.database
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "masks",
        "jo@n",
        "p/w",
        "db",
        "5433",
    ]


def test_celery_gets_its_own_name_for_a_redis_on_a_socket(tmp_path: Path) -> None:
    assert (
        load({**TEAM, "REDIS_URL": "unix:///run/redis.sock"}, tmp_path).broker_url == "redis+socket:///run/redis.sock"
    )


@pytest.mark.parametrize("missing", ["REDIS_URL", "DATABASE_URL"])
def test_half_a_team_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(BadSetting, match=f"{missing} is not"):
        load({name: value for name, value in TEAM.items() if name != missing}, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MASKWRIGHT_PORT", "eighty", "a port"),
        ("MASKWRIGHT_PORT", "70000", "a port"),
        ("MASKWRIGHT_DEBUG", "maybe", "0 or 1"),
        ("MASKWRIGHT_DEVICE", "gpu", "cuda:N"),
        ("MASKWRIGHT_MAX_FRAMES", "-1", "a number"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_the_form(
    tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        load({name: value}, tmp_path)
    assert name in str(refused.value)
    assert value in str(refused.value)
    assert wanted in str(refused.value)


@pytest.mark.parametrize("name", ["REDIS_URL", "DATABASE_URL"])
def test_an_address_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} must begin with"):
        load({**TEAM, name: "mysql://x/y"}, tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="MASKWRIGHT_HOME"):
        load({"MASKWRIGHT_HOME": str(tmp_path / "file" / "home")}, tmp_path)


def test_the_secret_key_is_made_once_for_its_owners_eyes(tmp_path: Path) -> None:
    first, second = load({}, tmp_path).secret_key, load({}, tmp_path).secret_key
    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert load({"MASKWRIGHT_SECRET_KEY": "given"}, tmp_path).secret_key == "given"
    assert load({}, tmp_path / "elsewhere").secret_key != first
