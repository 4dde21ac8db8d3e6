"""Tests of webapp/process/home_lock.py: a lock file lets only one process of a kind use a data folder at a time."""

import os
from pathlib import Path

import pytest

from webapp.process.home_lock import HomeInUse, HomeLock


def test_the_second_one_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = HomeLock(tmp_path, "studio"), HomeLock(tmp_path, "studio")
    first.take()
    first.write("http://127.0.0.1:8710")
    with pytest.raises(HomeInUse) as refused:
        second.take()
    assert "http://127.0.0.1:8710" in str(refused.value)
    assert str(os.getpid()) in str(refused.value)
    assert "MASKWRIGHT_HOME" in str(refused.value)
    holder = second.holder()
    assert holder is not None
    assert holder.address == "http://127.0.0.1:8710"


def test_it_is_free_again_when_its_process_is_gone(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        HomeLock(tmp_path, "studio").take()
        os._exit(0)
    os.waitpid(pid, 0)
    lock = HomeLock(tmp_path, "studio")
    assert lock.holder() is None
    lock.take()


def test_two_names_are_two_locks(tmp_path: Path) -> None:
    HomeLock(tmp_path, "studio").take()
    lock = HomeLock(tmp_path, "web")
    lock.take()
    assert HomeLock(tmp_path, "other").holder() is None
