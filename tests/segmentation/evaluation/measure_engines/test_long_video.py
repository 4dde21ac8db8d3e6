"""Tests the measurement of an engine's speed and memory over a long video."""

from types import SimpleNamespace

import numpy as np
import pytest

from segmentation.evaluation import memory
from segmentation.evaluation.measure_engines.__main__ import main
from segmentation.evaluation.measure_engines.long_video import LongVideo


def test_the_disc_is_where_its_mask_says() -> None:
    video = LongVideo(2000)
    for index in (0, 77, 1999):
        frame, disc = video[index], video.disc(index)
        assert frame.shape == (video.height, video.width, 3)
        red = (frame == (200, 60, 40)).all(axis=2)
        assert (red & disc).sum() > 0.97 * (red | disc).sum()
    assert not np.array_equal(video[0], video[1])


def test_it_prints_both_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["long-video", "--engine", "flow", "--frames", "6", "--threads", "2"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0].startswith("flow, round 1: 2 frames")
    whole = next(line for line in lines if line.startswith("flow, round 1: 6 frames"))
    assert float(whole.split("J ")[1].split(",")[0]) > 0.8
    assert lines[-1].startswith("flow, round 2:")


def test_an_engine_of_the_papers_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["long-video", "--engine", "ipn", "--paper", "--precision", "bfloat16", "--frames", "2", "--threads", "2"])
        == 0
    )
    assert "ipn, round 1: 2 frames" in capsys.readouterr().out


def test_an_engine_without_a_paper_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["long-video", "--engine", "flow", "--paper", "--frames", "3"]) == 2
    assert "long-video: engine: 'flow' has no paper's size" in capsys.readouterr().err


@pytest.mark.parametrize(("system", "peak"), [("linux", 3 << 20), ("darwin", 3 << 10)])
def test_the_peak_of_a_process_is_in_bytes_on_every_system(
    system: str, peak: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.sys, "platform", system)
    monkeypatch.setattr(memory.resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=3 << 10))
    assert memory.peak_of_process() == peak
