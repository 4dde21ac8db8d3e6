import numpy as np
import pytest

from segmentation.runtime.caches import ByteCache, DigestCache


def block(kilobytes: int, value: int = 0) -> np.ndarray:
    return np.full(kilobytes * 1024, value, np.uint8)


def test_it_keeps_what_fits() -> None:
    cache: ByteCache[str, np.ndarray] = ByteCache(10 * 1024)
    cache.put("a", block(4, 1))
    cache.put("b", block(4, 2))
    found = cache.get("a")
    assert found is not None
    assert found[0] == 1
    assert cache.used == 8 * 1024


def test_the_least_recently_used_leaves_first() -> None:
    cache: ByteCache[str, np.ndarray] = ByteCache(10 * 1024)
    cache.put("a", block(4))
    cache.put("b", block(4))
    cache.get("a")
    cache.put("c", block(4))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.used == 8 * 1024


def test_an_array_larger_than_the_budget_is_not_kept_and_evicts_nothing() -> None:
    cache: ByteCache[str, np.ndarray] = ByteCache(10 * 1024)
    cache.put("a", block(4))
    cache.put("big", block(11))
    assert cache.get("big") is None
    assert cache.get("a") is not None


def test_putting_a_key_again_counts_it_once() -> None:
    cache: ByteCache[str, np.ndarray] = ByteCache(10 * 1024)
    cache.put("a", block(4))
    cache.put("a", block(6))
    assert cache.used == 6 * 1024
    cache.clear()
    assert (cache.used, len(cache)) == (0, 0)


@pytest.mark.parametrize("budget", [0, 1])
def test_no_budget_means_no_cache(budget: int) -> None:
    cache: ByteCache[int, np.ndarray] = ByteCache(budget)
    cache.put(1, block(1))
    assert len(cache) == 0


def test_what_is_derived_is_made_anew_when_its_origin_changes() -> None:
    kept: DigestCache[str, list[int]] = DigestCache(2)
    first = kept.get("a", b"1", lambda: [1])
    assert kept.get("a", b"1", lambda: [2]) is first
    assert kept.get("a", b"2", lambda: [3]) == [3]
    kept.get("b", b"1", list)
    assert kept.get("a", b"2", list) == [3]
    kept.get("c", b"1", list)  # exceeds the limit, so the least recently used entry is dropped
    assert kept.get("a", b"2", list) == [3]
    assert kept.get("b", b"1", lambda: [4]) == [4]


def test_what_could_not_be_derived_is_tried_again() -> None:
    kept: DigestCache[str, int] = DigestCache(2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", b"1", lambda: 1 // 0)
    assert kept.get("a", b"1", lambda: 5) == 5
