"""Scribble files of the DAVIS challenge are read, and refused with the place that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from webapp.annotation.scribble_files import DrawnFrame, DrawnStroke, drawn_frames
from webapp.problems import Problem

STROKE = {"path": [[0.25, 0.5], [1, 0]], "object_id": 2, "start_time": 0, "end_time": 11.5}


def written(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "001.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_it_finds_the_frames_that_have_strokes(tmp_path: Path) -> None:
    background = {"path": [[0.5, 0.5]], "object_id": 0}
    path = written(tmp_path, {"sequence": "fish", "scribbles": [[], [STROKE, background], [], [STROKE]]})
    two = DrawnStroke(2, [[0.25, 0.5], [1.0, 0.0]])
    assert drawn_frames(path, 4) == [
        DrawnFrame(1, [two, DrawnStroke(0, [[0.5, 0.5]])]),
        DrawnFrame(3, [two]),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "is not JSON"),
        ([], 'no list "scribbles"'),
        ({"scribbles": [1]}, 'no list "scribbles"'),
        ({"scribbles": [[], []]}, "no stroke on any frame"),
        ({"scribbles": [[], [STROKE], []]}, "a video of 3 frames, this one has 2"),
        ({"scribbles": [[], ["x"]]}, "scribbles[1][0]"),
        ({"scribbles": [[], [STROKE, {**STROKE, "object_id": 255}]]}, "scribbles[1][1].object_id"),
        ({"scribbles": [[], [{**STROKE, "object_id": "1"}]]}, "scribbles[1][0].object_id"),
        ({"scribbles": [[], [{**STROKE, "object_id": True}]]}, "scribbles[1][0].object_id"),
        ({"scribbles": [[], [{**STROKE, "path": []}]]}, "scribbles[1][0].path"),
        ({"scribbles": [[], [{**STROKE, "path": [[0.1, 0.2], [0.1]]}]]}, "scribbles[1][0].path[1]"),
        ({"scribbles": [[], [{**STROKE, "path": [[0.1, 1.2]]}]]}, "outside the frame"),
        ('{"scribbles": [[], [{"path": [[NaN, 0.5]], "object_id": 1}]]}', "scribbles[1][0].path[0]"),
    ],
)
def test_it_names_the_place_that_is_wrong(tmp_path: Path, data: Any, words: str) -> None:
    with pytest.raises(Problem) as problem:
        drawn_frames(written(tmp_path, data), 2)
    assert words in problem.value.text
    assert problem.value.text.startswith("001.json ")
    assert problem.value.text.endswith(".")


def test_it_says_so_when_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"none\.json cannot be read: No such file"):
        drawn_frames(tmp_path / "none.json", 2)
