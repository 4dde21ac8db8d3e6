"""The program that runs an engine over a long video."""

import numpy as np
import pytest

from segmentation.evaluation.bench_long import LongVideo, main


def test_the_disc_is_where_its_mask_says() -> None:
    video = LongVideo(2000)
    for index in (0, 77, 1999):
        frame, disc = video[index], video.disc(index)
        assert frame.shape == (video.height, video.width, 3)
        red = (frame == (200, 60, 40)).all(axis=2)
        assert (red & disc).sum() > 0.97 * (red | disc).sum()
    assert not np.array_equal(video[0], video[1])


def test_it_prints_both_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--engine", "flow", "--frames", "6", "--threads", "2"]) == 0
    first, second = capsys.readouterr().out.strip().splitlines()
    assert first.startswith("flow, round 1: 6 frames")
    assert second.startswith("flow, round 2:")
    assert float(first.split("J ")[1].split(",")[0]) > 0.8
