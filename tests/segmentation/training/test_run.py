"""Tests training runs on a generated data folder, and the plans, clips and commands that belong to them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import segmentation.training
from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.star.objective import Objective
from segmentation.evaluation.stroke import first_strokes
from segmentation.formats.label_png import write_labels
from segmentation.frames import ArrayFrames
from segmentation.registry import create_engine_session
from segmentation.training.__main__ import main
from segmentation.training.clips import ClipConfig, Clips, _indices, _join
from segmentation.training.curves import draw
from segmentation.training.curves import main as draw_curves
from segmentation.training.loop import Run, TrainingStopped, echoed, start_from
from segmentation.training.plan import Plan, parse_plan
from segmentation.training.sources import DataError, Sources, find_sources
from segmentation.types import IGNORE, Interaction
from segmentation.weights import WeightsError
from tests.segmentation.clips import make_clip

PLAN = """
engine = "star"
seed = 3
steps = 4
learning_rate = 1e-3
weight_decay = 0.01
warmup = 2
average = 0.9
clip_gradient = 1.0
validation = ["held-out"]
exclude = ["development"]
[network]
embedding = 8
context = 4
widths = [8, 6, 4]
blocks = 1
[[stages]]
until = 1.0
batch = 2
clips = { frames = 3, height = 32, width = 48, max_objects = 2 }
"""


@pytest.fixture
def plan() -> Plan:
    return parse_plan(PLAN)


def start(plan: Plan, sources: Sources, out: Path) -> Run:
    torch.manual_seed(0)
    out.mkdir(exist_ok=True)
    return Run(plan, Objective(plan, torch.device("cpu")), sources, out, workers=0, say=lambda line: None)


def test_sources_are_told_apart(sources: Sources) -> None:
    assert [video.name for video in sources.videos] == ["moving"]
    assert [video.name for video in sources.validation] == ["held-out"]
    assert [video.name for video in sources.stills] == ["still/one"]


def test_a_clip_depends_on_its_number_alone(sources: Sources, plan: Plan) -> None:
    clips = Clips(sources, plan.stages[0].clips, seed=1)
    first = [clips[i] for i in (0, 1, 2)]
    again = Clips(sources, plan.stages[0].clips, seed=1)[2]
    np.testing.assert_array_equal(first[2].frames, again.frames)
    np.testing.assert_array_equal(first[2].labels, again.labels)
    assert not np.array_equal(first[0].frames, first[1].frames)
    for clip in first:
        assert clip.frames.shape == (3, 32, 48, 3)
        assert set(np.unique(clip.labels)) <= {*range(clip.num_objects + 1), IGNORE}
        assert all((clip.labels[0] == n).any() for n in range(1, clip.num_objects + 1))


def test_objects_that_touch_become_one_where_that_is_asked_for() -> None:
    labels = np.zeros((2, 20, 30), np.uint8)
    labels[:, 4:10, 4:10], labels[:, 10:16, 4:10], labels[:, 4:10, 20:26] = 1, 2, 3
    labels[:, :2] = IGNORE
    joined = labels.copy()
    _join(np.random.default_rng(0), joined)
    assert {number: (joined == number).sum() for number in np.unique(joined)} in (
        {IGNORE: 120, 0: 864, 1: 144, 3: 72},
        {IGNORE: 120, 0: 864, 2: 144, 3: 72},
        {IGNORE: 120, 0: 864, 1: 72, 2: 72, 3: 72},  # if the object is chosen that touches no other object
    )


def test_bars_lie_over_objects_and_belong_to_none(sources: Sources) -> None:
    clips = Clips(sources, ClipConfig(), seed=1)
    covered = 0
    for number in range(6):
        frames, labels = np.full((2, 48, 64, 3), 100, np.uint8), np.zeros((2, 48, 64), np.uint8)
        labels[:, 12:36, 16:48], labels[:, :4] = 1, IGNORE
        shown, known = frames.copy(), labels.copy()
        clips._lay_bars(np.random.default_rng(number), shown, known)
        changed = known != labels
        assert (labels[changed] == 1).all()
        assert (known[changed] == 0).all()
        assert (known == IGNORE).sum() == (labels == IGNORE).sum()
        assert (shown != frames).any(axis=-1)[changed].mean() > 0.9
        covered += changed[0].any() and changed[1].any() and not changed[0].all()
    assert covered == 6


def test_the_first_frame_of_a_clip_may_be_far_from_the_others() -> None:
    random, config = np.random.default_rng(1), ClipConfig(frames=4, max_gap=2, reach=20)
    gaps = [np.abs(np.diff(_indices(random, 80, config))) for _ in range(200)]
    assert max(gap[0] for gap in gaps) == 20
    assert all(1 <= gap[1] <= 2 and 1 <= gap[2] <= 2 for gap in gaps)


def test_a_resumed_run_ends_where_an_unbroken_one_does(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    whole = start(plan, sources, tmp_path / "whole")
    whole.train()
    broken = start(plan, sources, tmp_path / "broken")
    batches = broken._batches()
    for _ in range(2):
        broken._step(next(batches))
    broken.save()
    resumed = start(plan, sources, tmp_path / "broken")
    assert resumed.resume()
    assert resumed.step == 2
    resumed.train()
    assert resumed.step == whole.step == plan.steps
    for key, value in whole.average.items():
        torch.testing.assert_close(resumed.average[key], value, rtol=0, atol=0)
    assert (tmp_path / "broken/star.safetensors").is_file()


def test_a_loss_that_is_no_number_stops_the_run(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    run = start(plan, sources, tmp_path / "out")
    run.save()
    next(iter(run.objective.network.parameters())).data.fill_(float("nan"))
    with pytest.raises(TrainingStopped, match="the last checkpoint"):
        run.train()
    assert start(plan, sources, tmp_path / "out").resume()


def test_a_loss_that_is_no_number_in_the_first_step_promises_no_checkpoint(
    sources: Sources, plan: Plan, tmp_path: Path
) -> None:
    run = start(plan, sources, tmp_path / "out")
    next(iter(run.objective.network.parameters())).data.fill_(float("nan"))
    with pytest.raises(TrainingStopped, match="there is no checkpoint yet"):
        run.train()


def test_a_run_that_is_stopped_while_it_validates_keeps_the_weights_of_its_network(
    sources: Sources, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(plan, sources, tmp_path / "out")
    own = {}

    def stopped(network: torch.nn.Module, _: Sources) -> dict[str, float]:
        own.update({key: value.clone() for key, value in trained.items()})
        assert any(not torch.equal(value, own[key]) for key, value in network.state_dict().items())
        raise KeyboardInterrupt

    def step(clips: list[Any]) -> dict[str, float]:
        figures = stepped(clips)
        trained.update({key: value.clone() for key, value in run.objective.network.state_dict().items()})
        return figures

    trained: dict[str, torch.Tensor] = {}
    stepped = run._step
    monkeypatch.setattr(run, "_step", step)
    monkeypatch.setattr(run.objective, "validate", stopped)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    run.save()
    resumed = start(plan, sources, tmp_path / "out")
    assert resumed.resume()
    torch.testing.assert_close(resumed.objective.network.state_dict(), own, rtol=0, atol=0)


@pytest.mark.parametrize("part", ["find_sources", "Run"])
def test_the_command_that_is_stopped_before_its_first_step_says_so_and_saves_nothing(
    part: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"segmentation.training.__main__.{part}", stopped)
    (tmp_path / "plan.toml").write_text(PLAN)
    words = ["star", "--config", str(tmp_path / "plan.toml"), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main(words) == 130
    assert "stopped before the first step" in capsys.readouterr().err
    assert not (tmp_path / "out/checkpoint.pt").exists()


def test_a_checkpoint_of_another_plan_is_refused(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    start(plan, sources, tmp_path / "out").save()
    with pytest.raises(TrainingStopped, match="another plan"):
        start(replace(plan, seed=4), sources, tmp_path / "out").resume()


def test_a_checkpoint_that_cannot_be_written_is_told(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    run = start(plan, sources, tmp_path / "out")
    (tmp_path / "out/checkpoint.part").mkdir()
    with pytest.raises(TrainingStopped, match="cannot be written"):
        run.save()


def test_data_that_does_not_fit_is_refused(data: Path, plan: Plan) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        find_sources(data / "nowhere", ())
    with pytest.raises(DataError, match="no validation sequence missing"):
        find_sources(data, ("missing",), plan.exclude)
    with pytest.raises(DataError, match="masks does not exist"):
        find_sources(data, ())
    write_labels(data / "still/masks/one.png", np.ones((9, 9), np.uint8))
    with pytest.raises(DataError, match="its image is"):
        find_sources(data, (), plan.exclude)


def test_the_command_tells_what_is_wrong_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["star", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert main(["star", "--config", "huge", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "star has no plan huge; known are compact" in capsys.readouterr().err
    for engine, option in (("stm", "--own"), ("star", "--body"), ("manet", "--recordings")):
        assert main([engine, option, "x", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
        assert f"{option} says nothing to {engine}" in capsys.readouterr().err


def test_what_ships_opens_as_an_engine_and_can_be_started_from(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    run = start(plan, sources, tmp_path / "first")
    run.train()
    weights = tmp_path / "first/star.safetensors"
    clip = make_clip(length=3, height=40, width=64, num_objects=1)
    settings = EngineSettings(device="cpu", weights=str(weights))
    session = create_engine_session("star", ArrayFrames(clip.frames), 1, settings)
    assert len(list(session.run_round(Interaction(0, first_strokes(clip.truth[0], 1))))) == 3
    again = Objective(plan, torch.device("cpu"))
    start_from(again, tmp_path / "first")
    torch.testing.assert_close(again.network.state_dict(), load_network("star", weights).state_dict())
    assert all(parameter.requires_grad for parameter in again.network.parameters())
    other = Objective(replace(plan, network={**plan.network, "embedding": 12}), torch.device("cpu"))
    with pytest.raises(WeightsError, match="of another shape"):
        start_from(other, weights)


def test_a_full_disk_stops_the_run_in_words(
    sources: Sources, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(plan, sources, tmp_path / "out")
    run.save()
    before = (tmp_path / "out/checkpoint.pt").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingStopped, match=r"checkpoint\.pt cannot be written .*No space left"):
        run.save()
    assert (tmp_path / "out/checkpoint.pt").read_bytes() == before


def test_curves_are_drawn_from_the_log(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run = start(replace(plan, steps=20), sources, tmp_path / "out")
    run.train()
    assert draw_curves([str(tmp_path / "out")]) == 0
    assert "J&amp;F round 3" in (tmp_path / "out/curves.svg").read_text()


def test_a_file_that_is_no_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n1,2\n")
    assert draw_curves([str(tmp_path)]) == 2
    assert "not a line of a training log" in capsys.readouterr().err


def test_a_run_goes_from_stage_to_stage_with_processes_that_make_clips(data: Path, tmp_path: Path) -> None:
    stages = PLAN[PLAN.index("[[stages]]") :]
    first = stages.replace("until = 1.0", "until = 0.5")
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace(stages, first + stages.replace("width = 48", "width = 64")))
    command = [sys.executable, "-m", "segmentation.training", "star", "--config", plan, "--data", data]
    options = ["--out", tmp_path / "out", "--threads", "2", "--workers", "1"]
    words = [str(part) for part in (*command, *options)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "training on 1 videos and 1 pictures, on cpu; validating on held-out"
    assert lines[1].startswith("the first step took")
    assert "best score" in lines[-1]
    assert "validating: 100%" in done.stderr
    assert "no curves.svg" in done.stderr  # because the run is shorter than the distance of two lines of the log


@pytest.mark.parametrize("workers", ["0", "1"])
def test_data_without_objects_are_told_in_a_sentence(workers: str, data: Path, tmp_path: Path) -> None:
    for path in [*data.glob("*/Annotations/moving/*.png"), *data.glob("*/masks/*.png")]:
        with Image.open(path) as mask:
            write_labels(path, np.zeros(mask.size[::-1], np.uint8))
    config = tmp_path / "plan.toml"
    config.write_text(PLAN)
    command = [sys.executable, "-m", "segmentation.training", "star", "--config", config, "--data", data]
    words = [str(part) for part in (*command, "--out", tmp_path / "out", "--workers", workers)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2
    expected = "training: clip 0 shows no object in 20 attempts: are the masks of the training data empty?\n"
    assert done.stderr.endswith(expected)
    assert "Traceback" not in done.stderr


def test_a_command_that_is_interrupted_before_its_first_step_ends_with_a_sentence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segmentation.training.__main__.find_sources", interrupt)
    assert main(["star", "--data", str(data), "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "training: stopped before the first step\n"


def test_own_videos_can_be_held_out(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "plan.toml"
    config.write_text(PLAN.replace("held-out", "elsewhere"))
    options = ["star", "--config", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--workers", "0"]
    assert main(options) == 2
    assert "has no validation sequence elsewhere; --validation names" in capsys.readouterr().err
    config.write_text(PLAN.replace('["held-out"]', "[]"))
    assert main(options) == 2
    assert "the plan names no videos for validation" in capsys.readouterr().err
    assert main([*options, "--validation", "moving"]) == 0
    assert "validating on moving" in capsys.readouterr().out


def test_curves_without_matplotlib_are_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ValueError, match="pip install matplotlib"):
        draw(tmp_path / "log.csv")


@pytest.mark.parametrize("uses", [1, 2, 4])
def test_every_batch_is_used_as_often_as_planned(uses: int) -> None:
    used = [echoed(step, uses) for step in range(200 * uses)]
    assert all(used.count(number) == uses for number in range(40, 160))
    assert max(used) == 199
    seen = [[step for step, number in enumerate(used) if number == wanted] for wanted in range(40, 160)]
    assert all(np.diff(steps).min(initial=99) > 8 for steps in seen)  # a batch is not used again within eight steps


def test_every_plan_that_ships_can_be_read_and_an_unknown_field_is_refused() -> None:
    plans = list((Path(segmentation.training.__path__[0]) / "plans").glob("*.toml"))
    assert len(plans) > 20
    for path in plans:
        assert path.name.startswith(parse_plan(path.read_text()).engine), path.name
    with pytest.raises(ValueError, match="unknown speed"):
        parse_plan(PLAN.replace("seed = 3", "seed = 3\nspeed = 9"))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("batch = 2\n", "", "stage 1: batch missing"),
        ("until = 1.0\nbatch = 2\n", "", "stage 1: batch, until missing"),
        ("batch = 2", "batch = 2\nspeed = 9", "stage 1: unknown speed"),
        ("frames = 3", "speed = 9", "stage 1, clips: unknown speed"),
        ("[[stages]]", "[stages]", r"stages: each must be a table \[\[stages\]\]"),
        ("clips = {", "clips = 3 #", "stage 1: clips must be a table"),
    ],
)
def test_a_wrong_stage_of_a_plan_is_refused_by_its_number_and_field(before: str, after: str, sentence: str) -> None:
    assert before in PLAN
    with pytest.raises(ValueError, match=f"^{sentence}"):
        parse_plan(PLAN.replace(before, after))


@pytest.mark.parametrize("device", ["gpu", "meta"])
def test_the_command_refuses_a_device_on_which_it_cannot_train(
    device: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "plan.toml"
    config.write_text(PLAN)
    options = ["--config", str(config), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main(["star", *options, "--device", device]) == 2
    assert f"device: '{device}' is none, known are" in capsys.readouterr().err
