"""Tests `HelperThread`, which runs two calls at the same time, one of them in a second thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from segmentation.runtime.parallel import HelperThread

SECONDS = 10  # how long a test waits for an event that should come at once


def test_both_calls_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=SECONDS)  # raises an exception unless both threads reach it
    with HelperThread() as helper:
        found = helper.run_both(lambda: (meeting.wait(), "here")[1], lambda: (meeting.wait(), "there")[1])
    assert found == ("here", "there")


def test_inside_one_of_two_calls_two_more_come_one_after_the_other() -> None:
    threads: list[int] = []

    def two() -> tuple[None, None]:
        return helper.run_both(*(lambda: threads.append(threading.get_ident()),) * 2)

    with HelperThread() as helper:
        helper.run_both(two, two)
    here = threading.get_ident()
    assert sorted(threads.count(thread) for thread in {*threads}) == [2, 2]
    assert here in threads


def test_without_its_thread_both_run_here() -> None:
    assert HelperThread().run_both(threading.get_ident, threading.get_ident) == (threading.get_ident(),) * 2


@pytest.mark.parametrize("fails_here", [True, False])
def test_when_one_fails_the_other_one_has_ended_and_the_next_two_run(fails_here: bool) -> None:
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    def end() -> None:
        ended.wait(0.05)
        ended.set()

    with HelperThread() as helper:
        with pytest.raises(ValueError, match="no"):
            helper.run_both(*((fail, end) if fails_here else (end, fail)))
        assert ended.is_set()
        assert helper.run_both(lambda: 1, threading.get_ident) != (1, threading.get_ident())


def test_threads_are_halved_while_both_run() -> None:
    states = []

    @contextmanager
    def halved() -> Iterator[None]:
        states.append("halved")
        yield
        states.append("whole")

    with HelperThread(halved) as helper:
        helper.run_both(lambda: states.append("at work"), lambda: None)
    assert states == ["halved", "at work", "whole"]
