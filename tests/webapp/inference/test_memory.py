"""Tests of webapp/inference/memory.py: what it reports of this process and of a GPU."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from webapp.inference.memory import memory_now


def test_the_memory_of_a_gpu_is_asked_only_of_an_engine_that_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_now("cpu").process > 10 << 20
    for is_used, expected in ((False, (0, 0)), (True, (3, 8))):
        cuda = SimpleNamespace(is_initialized=lambda used=is_used: used, mem_get_info=lambda device: (5, 8))
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
        found = memory_now("cuda:0")
        assert (found.device, found.device_size) == expected
        on_cpu = memory_now("cpu")
        assert (on_cpu.device, on_cpu.device_size) == (0, 0)


def test_while_pytorch_is_being_imported_nothing_is_known_of_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    assert (memory_now("cuda:0").device, memory_now("cuda:0").process > 0) == (0, True)
