"""Training on a made-up data folder: it steps, it goes on exactly where it stopped, and it refuses what cannot work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.masks import write_mask
from segmentation.training.__main__ import main
from segmentation.training.clips import Clips
from segmentation.training.lessons.star import Lesson
from segmentation.training.loop import Run, TrainingStopped
from segmentation.training.plan import Plan, load_plan, parse_plan
from segmentation.training.sources import IGNORE, DataError, Sources, find_sources

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
widths = [4, 6, 8, 10]
blocks = 1
key = 8
value = 8
decoder = [8, 6, 4]
skips = [4, 4, 4]
embedding = 4
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
    return Run(plan, Lesson(plan, torch.device("cpu")), sources, out, workers=0, say=lambda line: None)


def test_sources_are_told_apart(sources: Sources) -> None:
    assert [shot.name for shot in sources.videos] == ["moving"]
    assert [shot.name for shot in sources.validation] == ["held-out"]
    assert [shot.name for shot in sources.stills] == ["still/one"]


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
    assert (tmp_path / "broken/best.pt").is_file()


def test_a_loss_that_is_no_number_stops_the_run(sources: Sources, plan: Plan, tmp_path: Path) -> None:
    run = start(plan, sources, tmp_path / "out")
    run.save()
    next(iter(run.lesson.network.parameters())).data.fill_(float("nan"))
    with pytest.raises(TrainingStopped, match="the last checkpoint"):
        run.train()
    assert start(plan, sources, tmp_path / "out").resume()


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
    write_mask(data / "still/masks/one.png", np.ones((9, 9), np.uint8))
    with pytest.raises(DataError, match="its image is"):
        find_sources(data, (), plan.exclude)


def test_the_command_tells_what_is_wrong_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["star", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert main(["star", "--config", "huge", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "known are" in capsys.readouterr().err


def test_every_plan_in_the_house_can_be_read() -> None:
    assert load_plan("star", "compact").engine == "star"
    with pytest.raises(ValueError, match="unknown speed"):
        parse_plan(PLAN.replace("seed = 3", "seed = 3\nspeed = 9"))
