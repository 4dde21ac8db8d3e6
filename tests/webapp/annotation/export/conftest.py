"""Fixtures for tests of exports: a new data folder for each test, and the masks of exported videos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmentation.types import LabelMap
from tests.webapp.annotation.export.test_jobs import COUNT, labels

MASKS = {index: labels(index) for index in range(COUNT) if index != 2}  # Frame 2 has no mask.


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path, sent_tasks: list[Any]) -> Path:
    settings.HOME = tmp_path / "home"
    (settings.HOME / "uploads").mkdir(parents=True)
    return settings.HOME


def mask_of(frame: int) -> LabelMap:
    return MASKS.get(frame, np.zeros((160, 240), np.uint8))


def assert_masks(found: Iterator[LabelMap | None]) -> None:
    """Assert that `found` yields the masks in `MASKS`, and an empty mask for the frame that has none."""
    read = list(found)
    assert len(read) == COUNT
    for frame, mask in enumerate(read):
        assert mask is not None
        np.testing.assert_array_equal(mask, mask_of(frame))
