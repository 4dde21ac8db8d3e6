"""Tests of webapp/secret_key.py, which creates Django's secret key once in the data folder."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.configuration import BadSetting, load
from webapp.secret_key import make_key

GIVEN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_the_secret_key_is_made_once_for_its_owners_eyes(tmp_path: Path) -> None:
    first, second = load({}, tmp_path / "data").secret_key, load({}, tmp_path / "data").secret_key
    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert load({"MASKWRIGHT_SECRET_KEY": GIVEN}, tmp_path / "data").secret_key == GIVEN
    assert load({}, tmp_path / "elsewhere").secret_key != first


def test_an_empty_key_file_is_as_none(tmp_path: Path) -> None:
    """If the key file is empty, as after a crash or with a full disk, a new key is written into it."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "secret_key"
    path.write_text("")
    first = load({}, tmp_path / "data").secret_key
    assert len(first) >= 50
    assert path.read_text() == first == load({}, tmp_path / "data").secret_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("empty", [False, True])
def test_processes_that_start_at_once_agree_on_a_key(tmp_path: Path, empty: bool) -> None:
    (tmp_path / "data").mkdir()
    if empty:
        (tmp_path / "data" / "secret_key").touch()
    code = "import sys; from pathlib import Path; from webapp.configuration import load\n"
    code += "input(); print(load({}, Path(sys.argv[1], 'data')).secret_key)"
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
    first = load({}, tmp_path / "data").secret_key
    assert make_key(tmp_path / "data" / "secret_key") == first


def test_a_key_that_cannot_be_written_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(BadSetting, match="No space left"):
            load({}, tmp_path)
    assert not list((tmp_path / "data").glob(".secret_key*"))
    assert len(load({}, tmp_path / "data").secret_key) >= 50
