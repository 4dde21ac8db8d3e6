"""Tests the semi-supervised evaluation: it gives an engine the first mask, and scores frames before the last one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from segmentation import registry
from segmentation.engine import Engine
from segmentation.evaluation.__main__ import main
from segmentation.evaluation.davis_folder import Sequence
from segmentation.formats.label_png import write_labels
from segmentation.frames import ImageFrames
from segmentation.types import Interaction, MaskUpdate, PastRound
from tests.segmentation.clips import Clip, make_clip


class RepeatingEngine(Engine):
    """An engine that repeats the accepted mask of frame 0 in all frames but the last, which gets an empty mask."""

    name = "repeating"

    def _setup(self) -> None:
        pass

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        last = len(self.frames) - 1
        for frame in range(1, last + 1):
            labels = self.locked[0] if frame < last else np.zeros_like(self.locked[0])
            yield MaskUpdate(frame, labels, (1.0,) * self.num_objects)

    def _restore(self, past: PastRound) -> None:
        pass


@pytest.fixture(autouse=True)
def _repeating(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = registry.EngineSpec("repeating", "Repeating", f"{__name__}:RepeatingEngine", "Nothing.")
    monkeypatch.setattr(registry, "ENGINES", {**registry.ENGINES, "repeating": spec})


def write_sequence(root: Path, name: str, clip: Clip) -> None:
    for part, write in (("JPEGImages", False), ("Annotations", True)):
        folder = root / part / "480p" / name
        folder.mkdir(parents=True)
        for t, frame in enumerate(clip.frames):
            if write:
                write_labels(folder / f"{t:05d}.png", clip.truth[t])
            else:
                cv2.imwrite(str(folder / f"{t:05d}.png"), frame[..., ::-1])


def still_clip(length: int = 5) -> Clip:
    """Make a clip of `length` equal frames."""
    clip = make_clip(length=length, num_objects=2)
    return Clip(np.repeat(clip.frames[:1], length, 0), np.repeat(clip.truth[:1], length, 0), clip.num_objects)


def test_a_carried_first_mask_is_scored_on_all_frames_but_the_first_and_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(tmp_path / "davis", "still", still_clip())
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "semi.json").read_text())
    own = report["engines"]["repeating"]
    assert own["sequences"]["still"] == {"j": 1.0, "f": 1.0, "j_and_f": 1.0, "objects": 2}
    assert "mean over all objects" in capsys.readouterr().out


def test_the_mean_is_over_objects_not_over_sequences(tmp_path: Path) -> None:
    write_sequence(tmp_path / "davis", "still", still_clip())
    moved = still_clip()
    truth = moved.truth.copy()
    truth[1:] = 0
    truth[1:, 0, 0] = 1  # the object is in one corner in all frames but the first
    truth[0][truth[0] == 2] = 0
    write_sequence(tmp_path / "davis", "gone", Clip(moved.frames, truth, 1))
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    own = json.loads((tmp_path / "out" / "semi.json").read_text())["engines"]["repeating"]
    assert own["sequences"]["gone"]["j"] < 0.05
    assert own["mean"]["j"] == pytest.approx((2 * 1.0 + own["sequences"]["gone"]["j"]) / 3)


def test_an_empty_first_mask_is_refused_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = still_clip()
    truth = clip.truth.copy()
    truth[0] = 0
    write_sequence(tmp_path / "davis", "late", Clip(clip.frames, truth, 2))
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "late: the mask of its first frame is empty" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_video_of_two_frames_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sequence(tmp_path / "davis", "short", still_clip(2))
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "short: 2 frames, --semi needs at least 3" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["short", "extra mask"])
def test_a_sequence_that_cannot_be_evaluated_is_named_and_the_others_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    write_sequence(tmp_path / "davis", "still", still_clip())
    write_sequence(tmp_path / "davis", "bad", still_clip(1 if fault == "short" else 5))
    if fault == "extra mask":
        write_labels(tmp_path / "davis" / "Annotations" / "480p" / "bad" / "00005.png", still_clip().truth[0])
    says = {"short": "bad: 1 frame, --semi needs at least 3", "extra mask": "bad: The mask bad/00005.png has no frame"}
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert f"left out: {says[fault]}" in capsys.readouterr().err
    report = json.loads((tmp_path / "out" / "semi.json").read_text())
    assert list(report["engines"]["repeating"]["sequences"]) == ["still"]
    assert list(report["left_out"]) == ["bad"]
    assert main([*arguments, "--sequences", "still,bad", "--out", str(tmp_path / "named")]) == 2
    assert says[fault] in capsys.readouterr().err
    assert not (tmp_path / "named").exists()


class ReadingEngine(RepeatingEngine):
    """An engine that repeats the accepted mask as long as the frames are those of before, and then an empty one."""

    name = "reading"

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        found = True
        for frame in range(1, len(self.frames)):
            found = found and bool((self.frames[frame] == self.frames[0]).all())
            labels = self.locked[0] if found else np.zeros_like(self.locked[0])
            yield MaskUpdate(frame, labels, (1.0,) * self.num_objects)


@pytest.mark.parametrize("kind", ["black", "white", "foreign"])
def test_the_middle_frame_is_replaced_and_j_on_both_sides_of_it_is_reported(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = registry.EngineSpec("reading", "Reading", f"{__name__}:ReadingEngine", "Nothing.")
    monkeypatch.setattr(registry, "ENGINES", {**registry.ENGINES, "reading": spec})
    write_sequence(tmp_path / "davis", "still", still_clip(7))
    write_sequence(tmp_path / "davis", "other", make_clip(length=6, num_objects=1, seed=3))
    arguments = ["--semi", "--disturb", kind, "--davis-root", str(tmp_path / "davis"), "--engine", "reading"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "semi.json").read_text())
    own = report["engines"]["reading"]["sequences"]["still"]
    # Frames 1 and 2 are right, frame 3 is replaced and not scored, and 4 and 5 are empty.
    assert (own["j_before"], own["j_after"], own["j"]) == (1.0, 0.0, 0.5)
    assert report["disturbance"] == kind
    assert "J after" in capsys.readouterr().out


def test_a_disturbance_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sequence(tmp_path / "davis", "still", still_clip(5))
    arguments = ["--davis-root", str(tmp_path / "davis"), "--engine", "repeating", "--out", str(tmp_path / "out")]
    assert main(["--semi", "--disturb", "foreign", *arguments]) == 2
    assert "still: a foreign frame comes from another sequence" in capsys.readouterr().err
    assert main(["--disturb", "black", *arguments]) == 2
    assert "--disturb needs --semi" in capsys.readouterr().err
    write_sequence(tmp_path / "davis4", "still", still_clip(4))
    arguments[1] = str(tmp_path / "davis4")
    assert main(["--semi", "--disturb", "black", *arguments]) == 2
    assert "still: 4 frames, --semi needs at least 5" in capsys.readouterr().err


@pytest.mark.parametrize("more", [(), ("--disturb", "black")])
def test_the_frames_of_a_sequence_are_opened_when_it_is_run(
    more: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open frames keep a cache, so those of all sequences at once would take gigabytes."""
    done = []
    opening, running = Sequence.frames, RepeatingEngine._run

    def frames(sequence: Sequence) -> ImageFrames:
        done.append(f"open {sequence.name}")
        return opening(sequence)

    def run(engine: RepeatingEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        done.append("run")
        return running(engine, interaction)

    monkeypatch.setattr(Sequence, "frames", frames)
    monkeypatch.setattr(RepeatingEngine, "_run", run)
    for name in ("one", "two"):
        write_sequence(tmp_path / "davis", name, still_clip())
    arguments = ["--semi", *more, "--davis-root", str(tmp_path / "davis"), "--engine", "repeating"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert done == ["open one", "run", "open two", "run"]


def test_an_engine_that_ships_carries_a_first_mask(tmp_path: Path) -> None:
    write_sequence(tmp_path / "davis", "reef", make_clip(length=4, num_objects=1))
    arguments = ["--semi", "--davis-root", str(tmp_path / "davis"), "--engine", "flow"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    own = json.loads((tmp_path / "out" / "semi.json").read_text())["engines"]["flow"]
    assert own["mean"]["j"] > 0.5
