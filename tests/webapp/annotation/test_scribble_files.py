"""Tests of reading the scribble files that `annotate` gets: an error is a sentence that begins with the file's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from webapp.annotation.scribble_files import interactions_in
from webapp.problems import Problem

SCRIBBLE = {"path": [[0.25, 0.5], [1, 0]], "object_id": 2, "start_time": 0, "end_time": 11.5}


def written(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "001.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_it_finds_the_frames_that_have_scribbles(tmp_path: Path) -> None:
    background = {"path": [[0.5, 0.5]], "object_id": 0}
    path = written(tmp_path, {"sequence": "fish", "scribbles": [[], [SCRIBBLE, background], [], [SCRIBBLE]]})
    found = interactions_in(path, 4)
    assert [interaction.frame for interaction in found] == [1, 3]
    assert [scribble.object_id for scribble in found[0].scribbles] == [2, 0]
    assert found[0].scribbles[0].path.tolist() == [[0.25, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "is not JSON"),
        ({"scribbles": [[], []]}, "no scribble on any frame"),
        ({"scribbles": [[], [SCRIBBLE], []]}, "a video of 3 frames, this one has 2"),
        ({"scribbles": [[], [{**SCRIBBLE, "path": [[0.1, 0.2], [0.1]]}]]}, "scribbles[1][0].path[1]"),
        ('{"scribbles": [[], [{"path": [[NaN, 0.5]], "object_id": 1}]]}', "scribbles[1][0].path[0]"),
    ],
)
def test_it_names_the_place_that_is_wrong(tmp_path: Path, data: Any, words: str) -> None:
    with pytest.raises(Problem) as problem:
        interactions_in(written(tmp_path, data), 2)
    assert words in problem.value.text
    assert problem.value.text.startswith("001.json: ")
    assert problem.value.text.endswith(".")


def test_it_says_so_when_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"none\.json: it cannot be read \(No such file"):
        interactions_in(tmp_path / "none.json", 2)
