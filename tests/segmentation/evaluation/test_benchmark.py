"""Tests the command of the DAVIS interactive benchmark on generated clips, with the robot of davisinteractive."""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from segmentation.evaluation import benchmark, benchmark_run
from segmentation.evaluation.__main__ import main
from segmentation.evaluation.package import davisinteractive
from segmentation.formats.label_png import write_labels
from tests.segmentation import fake_engine
from tests.segmentation.clips import make_clip

FAKE = "tests.segmentation.fake_engine"


def lay_out(root: Path, name: str, frames: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
    images, masks = root / "JPEGImages" / "480p" / name, root / "Annotations" / "480p" / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for index, (frame, labels) in enumerate(zip(frames, truth, strict=True)):
        cv2.imwrite(str(images / f"{index:05d}.jpg"), frame[..., ::-1])
        write_labels(masks / f"{index:05d}.png", labels)


def clip(root: Path, name: str = "moving", *, length: int = 5, num_objects: int = 1, seed: int = 0) -> Path:
    made = make_clip(length=length, height=96, width=128, num_objects=num_objects, seed=seed)
    lay_out(root, name, made.frames, made.truth)
    return root


def evaluate(root: Path, out: Path, *more: str, rounds: int = 2) -> dict:
    code = main(["--davis-root", str(root), "--out", str(out), "--rounds", str(rounds), *more])
    assert code == 0
    return json.loads((out / "report.json").read_text())


class RunHere:
    """Stands in for a child process: `start` makes the run in this process, because a child takes long to start."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> None:
        self.start = lambda: target(*args)

    def join(self) -> None:
        pass


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the runs in this process, and give davisinteractive its list of sequences back afterwards."""
    context = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=RunHere)
    monkeypatch.setattr(benchmark, "multiprocessing", SimpleNamespace(get_context=lambda method: context))
    dataset = davisinteractive().dataset
    monkeypatch.setattr(dataset, "RESOLUTION", dataset.RESOLUTION)
    monkeypatch.setitem(dataset.sets, "val", dataset.sets["val"])
    monkeypatch.setattr(dataset, "dataset", dict(dataset.dataset))


@pytest.fixture
def fake(run_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWRIGHT_ENGINES", FAKE)


def test_the_robot_plays_flow_to_the_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = evaluate(clip(tmp_path / "d"), out, "--engine", "flow", rounds=3)
    engine = report["engines"]["flow"]
    assert len(engine["by_round"]) == 3
    assert engine["by_round"][-1] > 0.6
    assert 0 < engine["auc"] <= 1
    assert engine["sequences"]["moving"]["frames"] == 5
    assert engine["peak_memory_bytes"] > 0
    assert "<svg" in (out / "report.html").read_text()
    assert (out / "result_flow.csv").read_text().count("\n") == 1 + 3 * 5


@pytest.mark.usefixtures("fake")
def test_the_same_command_gives_the_same_scribbles_and_masks(tmp_path: Path) -> None:
    root = clip(tmp_path / "d", num_objects=2)
    played = []
    for run in ("one", "two"):
        evaluate(root, tmp_path / run, "--engine", "fake")
        rounds = json.loads((tmp_path / run / "runs/fake/moving/rounds.json").read_text())
        played.append([(entry["interactions"], entry["masks_sha256"]) for entry in rounds])
    assert played[0] == played[1]


@pytest.mark.usefixtures("fake")
def test_finished_pairs_are_kept_and_others_are_played(tmp_path: Path) -> None:
    root = clip(clip(tmp_path / "d"), "other", seed=1)
    out = tmp_path / "out"
    evaluate(root, out, "--engine", "fake")
    kept = out / "runs/fake/moving/done.json"
    stamp = kept.stat().st_mtime_ns
    shutil.rmtree(out / "runs/fake/other")
    report = evaluate(root, out, "--engine", "fake")
    assert kept.stat().st_mtime_ns == stamp
    assert set(report["engines"]["fake"]["sequences"]) == {"moving", "other"}
    # with other options, no finished run is reused
    evaluate(root, out, "--engine", "fake", "--set", "fake.sleep=0.001")
    assert kept.stat().st_mtime_ns != stamp


@pytest.mark.usefixtures("fake")
def test_variants_of_one_engine_stand_side_by_side(tmp_path: Path) -> None:
    root = clip(tmp_path / "d")
    more = ("--engine", "fake@a", "--engine", "fake@b", "--set", "fake@b.sleep=0.02")
    engines = evaluate(root, tmp_path / "out", *more)["engines"]
    assert engines["fake@b"]["options"] == {"sleep": 0.02}
    assert engines["fake@b"]["seconds_a_frame"] > engines["fake@a"]["seconds_a_frame"]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("kind", ["empty frame", "object leaves", "one frame", "ten objects", "odd size"])
def test_unusual_sequences_are_played(kind: str, tmp_path: Path) -> None:
    made = make_clip(length=4, height=96, width=128, num_objects=10 if kind == "ten objects" else 2)
    frames, truth = made.frames.copy(), made.truth.copy()
    if kind == "empty frame":
        truth[2] = 0
    elif kind == "object leaves":
        truth[2:][truth[2:] == 2] = 0
    elif kind == "one frame":
        frames, truth = frames[:1], truth[:1]
    elif kind == "odd size":
        frames, truth = frames[:, :91, :123], truth[:, :91, :123]
    lay_out(tmp_path / "d", "unusual", frames, truth)
    engine = evaluate(tmp_path / "d", tmp_path / "out", "--engine", "fake")["engines"]["fake"]
    assert engine["sequences"]["unusual"]["objects"] == int(truth.max())
    assert engine["by_round"][1] > 0


class Clock:
    """A clock that only `sleep` advances, so that a busy processor makes no round late.

    Sleeping takes the share `busy` of its time as processor time.
    """

    now, used, busy = 1000.0, 7.0, 0.0

    def time(self) -> float:
        return self.now

    monotonic = time

    def process_time(self) -> float:
        return self.used

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.used += self.busy * seconds


@pytest.mark.usefixtures("fake")
def test_masks_that_come_late_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, package = Clock(), import_module("davisinteractive.session.session")
    for module in (package, benchmark_run, fake_engine):
        monkeypatch.setattr(module, "time", clock)
    root = clip(tmp_path / "d")
    more = ("--engine", "fake", "--set", "fake.sleep=0.3", "--max-time", "1")
    engine = evaluate(root, tmp_path / "out", *more, rounds=4)["engines"]["fake"]
    sequence = engine["sequences"]["moving"]
    assert sequence["late_rounds"] == 1
    assert len(sequence["seconds_by_round"]) < 4
    assert engine["by_round"][-1] == engine["by_round"][-2]  # a missing round has the value of the round before it


@pytest.mark.usefixtures("fake")
def test_processor_time_as_the_clock_does_not_count_time_in_which_the_engine_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, package = Clock(), import_module("davisinteractive.session.session")
    for module in (package, benchmark_run, fake_engine):
        monkeypatch.setattr(module, "time", clock)
    root = clip(tmp_path / "d")
    more = ("--engine", "fake", "--set", "fake.sleep=0.3", "--max-time", "1", "--clock", "processor")
    report = evaluate(root, tmp_path / "out", *more, rounds=4)
    sequence = report["engines"]["fake"]["sequences"]["moving"]
    assert sequence["late_rounds"] == 0
    assert sequence["seconds_by_round"] == [0, 0, 0, 0]
    assert set(pd.read_csv(tmp_path / "out" / "result_fake.csv")["timing"]) == {0}
    assert report["protocol"]["clock"] == "processor"
    assert "seconds are processor time" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("fake")
def test_processor_time_as_the_clock_ends_a_round_that_is_over_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, package = Clock(), import_module("davisinteractive.session.session")
    clock.busy = 0.5
    for module in (package, benchmark_run, fake_engine):
        monkeypatch.setattr(module, "time", clock)
    root = clip(tmp_path / "d")
    more = ("--engine", "fake", "--set", "fake.sleep=0.6", "--max-time", "1", "--clock", "processor")
    sequence = evaluate(root, tmp_path / "out", *more, rounds=4)["engines"]["fake"]["sequences"]["moving"]
    assert sequence["late_rounds"] == 1
    assert 0 < len(sequence["seconds_by_round"]) < 4


@pytest.mark.usefixtures("fake")
def test_advised_the_robot_corrects_the_frame_of_the_lowest_confidence_that_is_far_from_earlier_ones(
    tmp_path: Path,
) -> None:
    root = clip(tmp_path / "d", length=12)
    drawn = {}
    for way in ("worst", "advised"):
        report = evaluate(root, tmp_path / way, "--engine", "fake", "--next", way, rounds=3)
        assert report["protocol"]["next_frame"] == way
        rounds = json.loads((tmp_path / way / "runs" / "fake" / "moving" / "rounds.json").read_text())
        drawn[way] = [each["interactions"][0]["frame"] for each in rounds if each["interactions"]]
    start = drawn["worst"][0]
    # The fake engine has equal confidence in all frames that show the object, so the first frame far away is advised.
    far = [frame for frame in range(12) if abs(frame - start) > 3]
    assert drawn["advised"][:2] == [start, far[0]]
    assert drawn["advised"] != drawn["worst"]


@pytest.mark.usefixtures("fake")
def test_figures_do_not_depend_on_how_objects_are_numbered(tmp_path: Path) -> None:
    made = make_clip(length=4, height=96, width=128, num_objects=2)
    figures = []
    for ids in ((0, 1, 2), (0, 1, 3), (0, 40, 200)):
        root = tmp_path / str(ids[2])
        lay_out(root, "moving", made.frames, np.array(ids, np.uint8)[made.truth])
        engine = evaluate(root, tmp_path / f"out{ids[2]}", "--engine", "fake")["engines"]["fake"]
        sequence = engine["sequences"]["moving"]
        figures.append((engine["by_round"], engine["j_by_round"], sequence["objects"], sequence["masks_sha256"]))
    assert figures[0][2] == 2
    for other in figures[1:]:
        assert other[0] == pytest.approx(figures[0][0])
        assert other[1] == pytest.approx(figures[0][1])
        assert other[2:] == figures[0][2:]


@pytest.mark.usefixtures("fake")
def test_a_bad_sequence_is_named_in_the_report_and_the_others_are_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clip(clip(tmp_path / "d"), "other", seed=1)
    (root / "Annotations/480p/other/00002.png").unlink()
    report = evaluate(root, tmp_path / "out", "--engine", "fake")
    assert list(report["engines"]["fake"]["sequences"]) == ["moving"]
    assert "00002.jpg is the first without one" in report["left_out"]["other"]
    assert "left out: other: 5 frames but 4 masks" in capsys.readouterr().err
    asked = refused(capsys, "--davis-root", str(root), "--out", str(tmp_path / "out"), "--sequences", "moving,other")
    assert "5 frames but 4 masks" in asked


@pytest.mark.usefixtures("run_here")
def test_default_stands_in_the_report_as_it_was_asked_for(tmp_path: Path) -> None:
    engines = evaluate(clip(tmp_path / "d", length=2), tmp_path / "out", rounds=1)["engines"]
    assert engines["default"]["engine"] != "default"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    text = capsys.readouterr().err.strip()
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--engine", "nosuch"), "known are"),
        (("--sequences", "nosuch"), "does not exist"),
        (("--subset", "val"), "ImageSets"),
        (("--resolution", "1080p"), "it has 480p"),
        (("--weights", "missing.pth"), "missing.pth does not exist"),
        (("--weights", "nosuch=w.pth"), "nosuch is not among the engines that were asked for: default"),
        (("--set", "flow"), "NAME.OPTION=VALUE"),
        (("--set", "manet.window=9"), "not among the engines"),
        (("--set", "default.nosuch=9"), "nosuch"),
        (("--rounds", "0"), "1 to 16"),
        (("--max-time", "100"), "600 seconds"),
    ],
)
def test_bad_input_is_one_sentence(
    more: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clip(tmp_path / "d", length=2)
    assert sentence in refused(capsys, "--davis-root", str(root), "--out", str(tmp_path / "out"), *more)


@pytest.mark.parametrize(("more", "kept"), [((), "keeps the runs"), (("--semi",), "nothing is kept")])
def test_what_a_stopped_evaluation_keeps_is_told(
    more: tuple[str, ...],
    kept: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("run", "run_semi"):
        monkeypatch.setattr(f"segmentation.evaluation.__main__.{name}", stopped)
    root = clip(tmp_path / "d", length=2)
    assert main(["--davis-root", str(root), "--out", str(tmp_path / "out"), *more]) == 130
    assert kept in capsys.readouterr().err


def test_folders_that_do_not_fit_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = clip(tmp_path / "d", length=3), str(tmp_path / "out")
    masks = root / "Annotations/480p/moving"
    (masks / "00002.png").rename(tmp_path / "kept.png")
    assert "3 frames but 2 masks" in refused(capsys, "--davis-root", str(root), "--out", out)
    write_labels(masks / "00002.png", np.ones((10, 10), np.uint8))
    assert "differ in size" in refused(capsys, "--davis-root", str(root), "--out", out)
    shutil.rmtree(root / "Annotations")
    assert "no folder Annotations" in refused(capsys, "--davis-root", str(root), "--out", out)
    assert "is not a folder" in refused(capsys, "--davis-root", str(tmp_path / "nowhere"), "--out", out)


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = clip(tmp_path / "d", length=2)
    (tmp_path / "file").touch()
    text = refused(capsys, "--davis-root", str(root), "--out", str(tmp_path / "file" / "out"))
    assert "cannot be written" in text
