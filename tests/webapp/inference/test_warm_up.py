"""Tests of how a worker loads the networks of the default engine when it starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from segmentation import registry
from segmentation.engines.star.engine import StarEngine
from segmentation.frames import ArrayFrames
from webapp.inference import runner, worker_lifecycle


def test_a_session_that_comes_after_it_has_its_networks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(worker_lifecycle, "_warm", kept)
    worker_lifecycle._warm_up()
    (warm,) = kept
    assert isinstance(warm, StarEngine)
    session = registry.create_engine_session("star", ArrayFrames(np.zeros((3, 96, 64, 3), np.uint8)), 2)
    assert isinstance(session, StarEngine)
    assert session._network is warm._network
    assert session._drawing._cutter is warm._drawing._cutter


def test_what_goes_wrong_is_logged_and_the_worker_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_weights() -> None:
        raise ValueError("star: has none of them")

    monkeypatch.setattr(runner, "warm_up", no_weights)
    with capture_logs() as logs:
        worker_lifecycle._warm_up()
    assert [(log_entry["event"], log_entry["error"]) for log_entry in logs] == [
        ("warm_up_failed", "star: has none of them")
    ]
