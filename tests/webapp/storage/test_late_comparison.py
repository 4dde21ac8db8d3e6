"""Tests of webapp/storage/late_comparison.py: what many requests meet while the storage is away."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp.storage.failure import StorageAway
from webapp.storage.late_comparison import LateComparison


def test_requests_during_an_outage_wait_for_one_comparison_together(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison, begun, end = LateComparison(), threading.Event(), threading.Event()
    made: list[int] = []

    def compare() -> None:
        made.append(1)
        begun.set()
        assert end.wait(20)
        raise StorageAway(errno.EIO, "The bucket does not answer.")

    comparison.demand(compare)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(comparison.make_if_demanded)
        assert begun.wait(20)
        others = [pool.submit(comparison.make_if_demanded) for _ in range(2)]
        end.set()
        errors = [future.exception(20) for future in (first, *others)]
    assert [type(error) for error in errors] == [StorageAway] * 3
    assert all("The bucket does not answer." in str(error) for error in errors)
    assert len(made) == 1

    monkeypatch.setattr("webapp.storage.late_comparison.PAUSE_SECONDS", 0)
    with pytest.raises(StorageAway):
        comparison.make_if_demanded()
    assert len(made) == 2, "later it is tried again"
