"""Tests examples/annotate_over_rest.py and README.md's example of the client against a running server."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from maskwright.client import Maskwright
from segmentation.formats.youtube_vis import read_youtube_vis
from tests.examples.test_examples import write_video
from tests.segmentation.clips import make_clip
from tests.studio import Studio

BASE = Path(__file__).parents[2]
SCRIPT, README = BASE / "examples" / "annotate_over_rest.py", BASE / "README.md"
FRAMES = 3


def write_clips(folder: Path, count: int) -> list[Path]:
    """Write `count` zips of frames as PNGs, and for each a PNG with the ground truth of its first frame.

    Return the paths of the zips.
    """
    clip = make_clip(length=FRAMES, height=64, width=96, num_objects=1)
    paths = []
    for number in range(count):
        path = folder / f"clip{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for index, frame in enumerate(clip.frames):
                archive.writestr(f"{index:03}.png", cv2.imencode(".png", frame[..., ::-1])[1].tobytes())
        Image.fromarray(clip.truth[0]).save(folder / f"clip{number}-truth.png")
        paths.append(path)
    return paths


def test_the_script_has_fifty_lines_at_most() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= 50


@pytest.mark.slow
def test_five_clips_are_annotated_and_exported_by_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("annotate_over_rest", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    clips = write_clips(tmp_path, 5)
    with Studio(tmp_path / "home", "--no-sample") as studio:
        token = studio.manage("token", "owner", "script", "--write").strip()
        words = ["annotate_over_rest.py", studio.address, token, *map(str, clips)]
        monkeypatch.setattr(sys, "argv", [*words, "--engine", "flow", "--out", str(tmp_path)])
        script.main()
        with Maskwright(studio.address, token) as maskwright:
            project = maskwright.project("From a script", make=False)
            before = project.videos()[0].masks()
            rows = project.import_masks(tmp_path / "davis.zip")
            assert len(rows) == 5
            after = project.videos()[0].masks()
            assert all(np.array_equal(before[frame], after[frame]) for frame in range(FRAMES))
            maskwright.connection.create("/projects", {"name": "Birds", "engine": "flow"})
        monkeypatch.chdir(tmp_path)
        write_video(tmp_path / "clip.mp4", make_clip(length=FRAMES, height=64, width=96).frames)
        (block,) = re.findall(r"```python\n(from maskwright.*?)```", README.read_text(), re.S)
        names: dict[str, Any] = {"token": token}
        exec(block.replace("https://masks.example.org", studio.address), names)
        assert {frame: mask.shape for frame, mask in names["masks"].items()} == dict.fromkeys(range(FRAMES), (64, 96))
        assert (np.unique(names["masks"][0]) == [0, names["bird"]]).all()
    said = capsys.readouterr().out
    shares = [float(line.split()[-1]) for line in said.splitlines() if "J of the first mask" in line]
    assert len(shares) == 5
    assert min(shares) > 0.3
    with zipfile.ZipFile(tmp_path / "youtube-vis.zip") as archive:
        videos = read_youtube_vis(json.loads(archive.read("instances.json")))
        assert [len(list(video.masks())) for video in videos] == [FRAMES] * 5
        assert all(np.any(labels) for video in videos for labels in video.masks())
    with zipfile.ZipFile(tmp_path / "davis.zip") as archive:
        assert sum(name.startswith("Annotations/") for name in archive.namelist()) == 5 * FRAMES
