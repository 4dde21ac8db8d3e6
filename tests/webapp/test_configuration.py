"""webapp/configuration.py"""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.configuration import BadSetting, _make_key, load

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


def test_an_empty_key_file_is_as_none(tmp_path: Path) -> None:
    """A disk that was full when the key was made, or a machine that fell."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "secret_key"
    path.write_text("")
    first = load({}, tmp_path).secret_key
    assert len(first) >= 50
    assert path.read_text() == first == load({}, tmp_path).secret_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("empty", [False, True])
def test_processes_that_start_at_once_agree_on_a_key(tmp_path: Path, empty: bool) -> None:
    (tmp_path / "data").mkdir()
    if empty:
        (tmp_path / "data" / "secret_key").touch()
    code = "import sys; from pathlib import Path; from webapp.configuration import load\n"
    code += "input(); print(load({}, Path(sys.argv[1])).secret_key)"
    command = [sys.executable, "-c", code, str(tmp_path)]
    starts = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("\n")
        start.stdin.flush()
    keys = {start.communicate()[0].strip() for start in starts}
    assert keys == {(tmp_path / "data" / "secret_key").read_text()}
    assert keys != {""}
    assert not list((tmp_path / "data").glob(".secret_key*"))


def test_who_looked_before_a_key_was_made_takes_it(tmp_path: Path) -> None:
    first = load({}, tmp_path).secret_key
    assert _make_key(tmp_path / "data" / "secret_key") == first


def test_a_key_that_cannot_be_written_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(BadSetting, match="No space left"):
            load({}, tmp_path)
    assert not list((tmp_path / "data").glob(".secret_key*"))
    assert len(load({}, tmp_path).secret_key) >= 50
