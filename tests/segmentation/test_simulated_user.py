"""Tests the simulated user, which knows the ground truth and scribbles where an engine's masks are most wrong."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import segmentation as seg
from segmentation.simulated_user import correction
from segmentation.video import Video
from tests.segmentation.clips import make_clip
from tests.segmentation.fake_engine import ENGINES

CLIP = make_clip(length=5, num_objects=2)


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, spec in ENGINES.items():
        monkeypatch.setitem(seg.ENGINES, name, spec)


def test_it_plays_rounds_and_scores_them() -> None:
    heard: list[seg.SimulatedRound] = []
    rounds = seg.simulate("fake", CLIP.frames, CLIP.truth, rounds=3, on_round=heard.append)
    assert rounds == heard
    assert len(rounds) == 3
    assert {scribble.object_id for scribble in rounds[0].interaction.scribbles} == {1, 2}
    assert len({played.interaction.frame for played in rounds}) == 3
    assert rounds[0].score.j.shape == (5, 2)
    assert 0 < rounds[0].score.mean_j_and_f < 1


def test_ids_with_holes_change_nothing() -> None:
    plain = seg.simulate("fake", CLIP.frames, CLIP.truth, rounds=2)
    holes = seg.simulate("fake", CLIP.frames, np.array([0, 3, 90], np.uint8)[CLIP.truth], rounds=2)
    assert [played.score.mean_j_and_f for played in holes] == [played.score.mean_j_and_f for played in plain]


def test_it_stops_where_nothing_is_wrong() -> None:
    user = seg.SimulatedUser(CLIP.truth)
    assert user.correct(dict(enumerate(CLIP.truth)), set()) is None
    assert user.score(dict(enumerate(CLIP.truth))).mean_j_and_f == 1


def test_a_correction_is_on_the_worst_frame_not_drawn_on_yet() -> None:
    truth = make_clip(length=5).truth
    masks = truth.copy()
    masks[1] = 0
    masks[3, :, :32] = 0
    first = correction(truth, masks, set(), 1)
    second = correction(truth, masks, {1}, 1)
    assert first is not None
    assert second is not None
    assert (first.frame, second.frame) == (1, 3)
    assert correction(truth, truth, set(), 1) is None
    assert correction(truth, masks, set(range(5)), 1) is None


@pytest.mark.parametrize("truth", [CLIP.truth, CLIP.truth[:4]], ids=["played", "refused"])
def test_a_video_that_it_opened_itself_is_closed(
    truth: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clip").mkdir()
    for number, frame in enumerate(CLIP.frames):
        cv2.imwrite(str(tmp_path / "clip" / f"{number}.png"), frame)
    closed: list[Video] = []
    monkeypatch.setattr(Video, "close", lambda self: closed.append(self))
    with nullcontext() if len(truth) == 5 else pytest.raises(ValueError, match=r"^truth: is"):
        seg.simulate("fake", tmp_path / "clip", truth, rounds=1)
    assert len(closed) == 1
    opened = seg.open_video(tmp_path / "clip")
    seg.simulate("fake", opened, CLIP.truth, rounds=1)
    assert len(closed) == 1


def test_what_is_wrong_names_the_argument() -> None:
    with pytest.raises(ValueError, match=r"^truth: video has none on frame 0; pass truth="):
        seg.simulate("fake", CLIP.frames)
    with pytest.raises(ValueError, match=r"^truth: is \(4, 48, 64\), the video has \(5, 48, 64\)"):
        seg.simulate("fake", CLIP.frames, CLIP.truth[:4])
    with pytest.raises(ValueError, match=r"^truth: it shows no object"):
        seg.simulate("fake", CLIP.frames, np.zeros_like(CLIP.truth))
    with pytest.raises(ValueError, match=r"^truth: expected uint8 \[T, H, W\], got int64"):
        seg.SimulatedUser(CLIP.truth.astype(np.int64))
    with pytest.raises(ValueError, match=r"^rounds: expected a whole number from 1 on, got 0"):
        seg.simulate("fake", CLIP.frames, CLIP.truth, rounds=0)
    with pytest.raises(ValueError, match=r"^on_round: expected a function of one round, got int"):
        seg.simulate("fake", CLIP.frames, CLIP.truth, on_round=5)  # type: ignore[arg-type]
    user = seg.SimulatedUser(CLIP.truth)
    with pytest.raises(ValueError, match=r"^masks: expected a mask for each frame, by frame, got list"):
        user.score([CLIP.truth[0]])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^masks: 9 is outside 0\.\.4"):
        user.score({9: CLIP.truth[0]})
    with pytest.raises(ValueError, match=r"^labels: expected uint8 \(48, 64\)"):
        user.correct({0: CLIP.truth[0, :3]}, set())
