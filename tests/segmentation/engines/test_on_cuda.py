"""Runs each engine that has networks, with its shipped weights, on CUDA in half precision and with batches of frames.

On a machine without a GPU, a simulated CUDA device is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segmentation.engine import EngineSettings
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session
from tests.pretend_cuda import real_or_pretended_cuda
from tests.segmentation.clips import interaction_on, make_clip
from tests.segmentation.engine_conformance import EngineConformance

ENGINES = ("star", "stm", "stm-semi", "ipn", "manet", "strnn")
SETTINGS = EngineSettings(device="cuda", max_side=32)  # half precision is slow on a CPU
ASKED = (  # names of the conformance tests that run here
    "test_confidence_is_a_number_from_0_to_1_for_each_object",
    "test_a_cancelled_round_leaves_a_usable_session",
    "test_a_rebuilt_session_with_locked_frames_is_the_kept_one",
    "test_an_object_added_later_appears",
    "test_given_pixels_stay_to_the_pixel_until_their_object_is_drawn_again",
)


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    with real_or_pretended_cuda():
        yield


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return each engine's name. A session of it stays open, so that all its tests share the networks on the device."""
    with real_or_pretended_cuda():
        session = create_engine_session(request.param, ArrayFrames(make_clip(length=1).frames), 1, SETTINGS)
    yield request.param
    session.close()


@pytest.mark.parametrize("name", ASKED)
def test_conformance_tests_hold_on_a_cuda_device(engine: str, name: str) -> None:
    asked = type("OnCuda", (EngineConformance,), {"engine": engine, "settings": SETTINGS, "length": 6})
    getattr(asked(), name)()


def test_masks_are_those_of_the_cpu(engine: str, tmp_path: Path) -> None:
    """Masks that CUDA computes in half precision agree with those of the CPU, also with features cached on disk."""
    clip = make_clip(length=4, height=96, width=128, num_objects=2)
    found = []
    for settings in (
        EngineSettings(device="cpu", max_side=128),
        EngineSettings(device="cuda", max_side=128, memory_bytes=0, cache_dir=str(tmp_path)),
    ):
        session = create_engine_session(engine, ArrayFrames(clip.frames), 2, settings)
        labels = np.zeros((4, 96, 128), np.uint8)
        for frame in (1, 3):
            for update in session.run_round(interaction_on(clip, frame)):
                labels[update.frame] = update.labels
        found.append(labels)
        session.close()
    assert jaccard(found[0], found[1], 2).mean() > 0.95
