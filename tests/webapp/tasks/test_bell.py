"""Tests of bells, by which processes of one machine wake each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from webapp.tasks.bell import Bell, ring


def test_a_ring_wakes_every_listener_with_its_text_and_leaves_no_pipe_behind(tmp_path: Path) -> None:
    folder = tmp_path / "bells"
    ring(folder, "1")  # Nobody listens yet, and there is no folder.
    first, second = Bell(folder), Bell(folder)
    assert not first.wait(0)
    for text in ("7", "8", "7"):
        ring(folder, text)
    assert first.heard() == {"7", "8"}
    assert first.heard() == set()
    assert second.wait(0)
    assert not second.wait(0), "the ring has been heard"
    second.close()
    second.close()
    ring(folder)
    assert second.heard() == set()
    first.close()
    assert list(folder.iterdir()) == []


def test_the_pipe_of_a_process_that_ended_is_removed_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "123-dead.bell")
    bell = Bell(tmp_path)
    for _ in range(1500):
        ring(tmp_path, "x" * 100)
    assert [path.name for path in tmp_path.iterdir() if "dead" in path.name] == []
    assert bell.heard() == {"x" * 100}
    bell.close()


def test_without_named_pipes_a_bell_only_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "mkfifo")
    bell = Bell(tmp_path)
    assert (bell.fd, bell.heard(), bell.wait(0)) == (None, set(), False)
    bell.close()
