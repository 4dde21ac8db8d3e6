"""Tests the cache of features: it respects its memory limit, reads features back from disk, and deletes them."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from segmentation.runtime import feature_cache
from segmentation.runtime.feature_cache import FeatureCache


def test_what_was_put_comes_back_bit_for_bit(tmp_path: Path) -> None:
    value = torch.randn(3, 4, 5)
    for cache in (FeatureCache(1 << 20), FeatureCache(0, str(tmp_path))):
        cache.put("a", value)
        found = cache.get("a")
        assert found is not None
        assert torch.equal(found, value)
        assert cache.get("b") is None


def test_holes_in_the_heap_are_given_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(feature_cache, "give_back_holes", lambda: given.append(1))
    monkeypatch.setattr(feature_cache, "HOLES", 100)
    cache = FeatureCache(0)
    for _ in range(6):
        cache.put("a", torch.zeros(10))
    assert len(given) == 2


def test_a_c_library_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    feature_cache.give_back_holes()
    monkeypatch.setattr(feature_cache, "_LIBRARY", object())
    feature_cache.give_back_holes()


def test_on_a_full_disk_an_older_value_is_not_taken_for_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FeatureCache(0, str(tmp_path))
    cache.put("a", torch.zeros(10))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    cache.put("a", torch.ones(10))
    assert cache.get("a") is None


def test_what_is_forgotten_is_gone_from_memory_and_disk(tmp_path: Path) -> None:
    for cache in (FeatureCache(1000), FeatureCache(0, str(tmp_path))):
        cache.put("a", torch.zeros(10))
        cache.forget("a")
        assert cache.get("a") is None
        assert cache.used == 0
        cache.forget("a")


def test_the_least_recently_used_leave_first() -> None:
    cache = FeatureCache(3 * 40)
    for key in "abc":
        cache.put(key, torch.zeros(10))
    cache.get("a")
    cache.put("d", torch.zeros(10))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.used <= 120


def test_a_key_that_is_put_again_is_counted_once() -> None:
    cache = FeatureCache(1000)
    for _ in range(5):
        cache.put("a", torch.zeros(10))
    assert cache.used == 40
    assert len(cache) == 1


def test_what_is_larger_than_the_budget_is_not_kept_in_memory() -> None:
    cache = FeatureCache(100)
    cache.put("a", torch.zeros(1000))
    assert cache.get("a") is None
    assert cache.used == 0


def test_half_precision_survives_the_disk(tmp_path: Path) -> None:
    cache = FeatureCache(0, str(tmp_path))
    value = torch.randn(7).to(torch.bfloat16)
    cache.put("a", value)
    found = cache.get("a")
    assert found is not None
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, value)


def test_closing_removes_its_folder_and_no_other(tmp_path: Path) -> None:
    cache, other = FeatureCache(10, str(tmp_path)), FeatureCache(10, str(tmp_path))
    cache.put("a", torch.zeros(10))
    other.put("a", torch.ones(10))
    cache.close()
    assert cache.get("a") is None
    assert len(list(tmp_path.iterdir())) == 1
    assert other.get("a") is not None


def test_a_nearly_full_disk_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    cache = FeatureCache(0, str(tmp_path))
    cache.put("a", torch.zeros(10))
    assert cache.get("a") is None


def test_the_first_stay_where_entries_are_asked_for_in_turns() -> None:
    cache = FeatureCache(3 * 40, first_stay=True)
    for _ in range(2):
        for key in "abcde":
            if cache.get(key) is None:
                cache.put(key, torch.zeros(10))
    assert [key for key in "abcde" if cache.get(key) is not None] == ["a", "b", "c"]
    assert cache.used == 120
