"""Tests what STAR's cutter reads of an object (a crop of the frame, and cues), and how its result is pasted back."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.cutter.refinement import (
    NUM_CUES,
    SIDE,
    RefinementNet,
    RefinementNetConfig,
    Window,
    cue_channels,
    refine_interacted,
)
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import make_clip

TINY = RefinementNetConfig(widths=(4, 4, 6, 8), skip=2)


def tiny() -> RefinementNet:
    torch.manual_seed(0)
    return RefinementNet(TINY).eval()


@pytest.fixture
def scaled_frames() -> ScaledFrames:
    clip = make_clip(length=2, height=50, width=70, num_objects=1)
    return ScaledFrames(ArrayFrames(clip.frames), Sizes.of(50, 70))


@pytest.fixture
def evidence(scaled_frames: ScaledFrames) -> ObjectEvidence:
    truth = make_clip(length=2, height=50, width=70, num_objects=1).truth[0]
    return InteractedFrame(scaled_frames, 0, [], first_strokes(truth, 1), None, 0).evidence(1)


def test_a_window_has_the_object_in_its_middle(evidence: ObjectEvidence) -> None:
    window = Window.around(evidence)
    shown = window.of(evidence.known.astype(np.float32)) > 0.5
    ys, xs = np.nonzero(shown)
    assert abs(ys.min() + ys.max() - SIDE) < 0.1 * SIDE
    assert abs(xs.min() + xs.max() - SIDE) < 0.1 * SIDE
    assert 0.3 < np.ptp(ys) / SIDE < 0.75
    assert 0.3 < np.ptp(xs) / SIDE < 0.75


@pytest.mark.parametrize("window", [Window(0.25, 0.25, 0.5, 0.5), Window(-0.3, 0.4, 0.9, 0.9), Window(0, 0, 1, 1)])
@pytest.mark.parametrize("size", [(50, 70), (100, 141), (480, 854)])
def test_what_is_taken_out_goes_back_where_it_was(window: Window, size: tuple[int, int]) -> None:
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    values = np.hypot(y - 0.6 * size[0], x - 0.45 * size[1]).astype(np.float32) / size[1]  # a smooth map
    back = window.put(window.of(values), np.full(size, -1, np.float32))
    inside = back >= 0
    share = np.clip(min(window.x + window.width, 1) - max(window.x, 0), 0, 1) * np.clip(
        min(window.y + window.height, 1) - max(window.y, 0), 0, 1
    )
    assert inside.mean() == pytest.approx(share, abs=0.05)
    inner = np.s_[2:-2, 2:-2]  # without the frame's border, where resizing mixes in pixels outside the frame
    assert np.abs(back - values)[inner][inside[inner]].max() < 0.02


def test_cue_channels_lie_where_the_frame_shows_them(scaled_frames: ScaledFrames, evidence: ObjectEvidence) -> None:
    window = Window.around(evidence)
    cues = cue_channels(evidence, window)
    assert cues.shape == (NUM_CUES, SIDE, SIDE)
    assert cues.min() >= 0
    assert cues.max() <= 1
    own, others = cues[6], cues[7]
    assert own.max() == 1
    assert not others.any()
    assert (cues[0] > 0.5)[own == 1].all()  # scribbled pixels belong to the object
    assert window.of_picture(scaled_frames[0]).shape == (SIDE, SIDE, 3)


def test_where_nothing_is_known_there_is_no_window(evidence: ObjectEvidence) -> None:
    nothing = np.zeros_like(evidence.cut)
    empty = replace(evidence, cut=nothing, before=nothing, own=nothing, others=nothing, missed=nothing, extra=nothing)
    with pytest.raises(ValueError, match="evidence: no pixel"):
        Window.around(empty)
    assert not empty.contradicts


def test_a_correction_shows_what_was_missed(scaled_frames: ScaledFrames) -> None:
    truth = make_clip(length=2, height=50, width=70, num_objects=1).truth[0]
    before = truth.copy()
    before[:, int(np.nonzero(truth)[1].mean()) :] = 0
    scribble = correcting_stroke(truth, before)
    assert scribble is not None
    evidence = InteractedFrame(scaled_frames, 0, [], [scribble], before, 0).evidence(1)
    assert evidence.contradicts
    assert evidence.missed.any()
    assert not evidence.extra.any()
    assert not (evidence.missed & evidence.before).any()


def test_an_untrained_network_leaves_what_grabcut_made(scaled_frames: ScaledFrames, evidence: ObjectEvidence) -> None:
    network = tiny()
    torch.nn.init.zeros_(network.out.weight)
    torch.nn.init.zeros_(network.out.get_parameter("bias"))
    with torch.inference_mode():
        found = refine_interacted(network, scaled_frames[0], evidence)
    assert found.shape == scaled_frames.sizes.grid
    expected = cv2.resize(evidence.cut.astype(np.float32), found.shape[::-1]) > 0.5
    assert ((found > 0.5) == expected).mean() > 0.98
