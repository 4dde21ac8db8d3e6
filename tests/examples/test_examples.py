"""Tests that the scripts in examples/ and the code in the documents run unchanged, on small generated videos."""

from __future__ import annotations

import importlib.util
import json
import re
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import segmentation as seg
from segmentation.formats.davis_folder import DavisPaths, write_masks
from tests.segmentation.clips import make_clip

BASE = Path(__file__).parents[2]
CLIP = make_clip(length=4, height=64, width=96, num_objects=1)


def write_video(path: Path, frames: NDArray[np.uint8]) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "5"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with the input of the examples: a video file, and its frames and masks in the DAVIS layout."""
    write_video(tmp_path / "clip.mp4", CLIP.frames)
    paths = DavisPaths("dog", 480)
    for index, frame in enumerate(CLIP.frames):
        file = tmp_path / "DAVIS" / paths.frame(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), frame[..., ::-1])
    write_masks(tmp_path / "DAVIS", paths, enumerate(CLIP.truth))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BASE / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_cuts_an_object_out_and_saves_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script("segment_a_video").main(["clip.mp4", "out", "--engine", "flow"])
    said = capsys.readouterr().out
    assert "<Video 'clip': 4 frames of 96x64>" in said
    assert "4 of 4 masks" in said
    assert sorted(path.name for path in (folder / "out/labels").iterdir()) == [f"{i:05}.png" for i in range(4)]
    assert seg.open_video(folder / "out/davis").truth(3) is not None
    assert [i.frame for i in seg.read_scribbles(folder / "out/scribbles/scribbles.json", 4)] == [0, 3]


def test_the_notebook_runs_and_is_kept_without_outputs(folder: Path) -> None:
    cells = json.loads((BASE / "examples/compare_engines.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    names: dict[str, Any] = {}
    for cell in code:
        exec("".join(cell["source"]), names)
    assert names["mask"].shape == (64, 96)
    assert set(names["results"]) == {"flow", "star"}
    assert all(0 < value <= 1 for curve in names["results"].values() for value in curve)


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_the_lines_in_the_documents_run_as_they_are_printed(folder: Path, page: str) -> None:
    """Run the Python code in README.md and docs/library.md. It reads frame 12, so the video gets 13 frames here."""
    write_video(folder / "clip.mp4", make_clip(length=13, height=64, width=96).frames)
    (block,) = re.findall(r"```python\n(import segmentation as seg\n.*?)```", (BASE / page).read_text(), re.S)
    names: dict[str, Any] = {}
    exec(textwrap.dedent(block), names)
    assert names["mask"].shape == (64, 96)
    assert names["mask"].dtype == np.uint8
