"""Tests reading and writing scribble files of the DAVIS challenge, and errors that name the wrong part of a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmentation.formats.scribble_json import ScribbleError, parse_scribbles, read_scribbles, write_scribbles
from segmentation.types import Interaction, Scribble
from tests.segmentation.shared_data import shared


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    strokes = (Scribble(1, np.array([[0.1, 0.2], [0.3, 0.4]])), Scribble(0, np.array([[1.0, 0.0]])))
    write_scribbles(tmp_path / "s.json", [Interaction(4, strokes), Interaction(2, strokes[:1])], "reef", 6)
    loaded = read_scribbles(tmp_path / "s.json", 6)
    assert [i.frame for i in loaded] == [2, 4]
    assert [s.object_id for s in loaded[1].scribbles] == [1, 0]
    np.testing.assert_array_equal(loaded[1].scribbles[0].path, strokes[0].path)


def test_it_reads_a_file_of_davis() -> None:
    (interaction,) = read_scribbles(shared("data/davis/Scribbles/dog/001.json"), 60)
    assert {s.object_id for s in interaction.scribbles} == {1}


GOOD = {"path": [[0.5, 0.5]], "object_id": 1}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], 'a list "scribbles"'),
        ({}, 'a list "scribbles"'),
        ({"scribbles": {}}, 'a list "scribbles"'),
        ({"scribbles": [[]]}, "for a video of 1 frames, this one has 2"),
        ({"scribbles": [[], None]}, r"scribbles\[1\]: expected a list"),
        ({"scribbles": [[], ["x"]]}, r"scribbles\[1\]\[0\]: expected an object"),
        ({"scribbles": [[], [GOOD, {"path": [[0, 0]]}]]}, r"scribbles\[1\]\[1\]\.object_id"),
        ({"scribbles": [[], [{**GOOD, "object_id": True}]]}, r"object_id.*True"),
        ({"scribbles": [[], [{**GOOD, "object_id": "1"}]]}, r"object_id.*'1'"),
        ({"scribbles": [[], [{**GOOD, "object_id": 255}]]}, r"object_id.*255"),
        ({"scribbles": [[], [{**GOOD, "object_id": -1}]]}, r"object_id.*-1"),
        ({"scribbles": [[], [{**GOOD, "path": []}]]}, r"path: expected at least one"),
        ({"scribbles": [[], [{**GOOD, "path": [[1, 2, 3]]}]]}, r"path\[0\]: expected a point"),
        ({"scribbles": [[], [{**GOOD, "path": [[0.1, 0.2], [0.1]]}]]}, r"path\[1\]: expected a point"),
        ({"scribbles": [[], [{**GOOD, "path": [["a", "b"]]}]]}, r"path\[0\]: expected a point"),
        ({"scribbles": [[], [{**GOOD, "path": [[0.5, 1.2]]}]]}, r"scribbles\[1\]\[0\]\.path\[0\]"),
        ({"scribbles": [[], [{**GOOD, "path": [[float("nan"), 0.2]]}]]}, r"scribbles\[1\]\[0\]\.path\[0\]"),
        ({"scribbles": [[], [{**GOOD, "path": [[10**400, 0.2]]}]]}, r"path\[0\]: .* lies outside the frame"),
    ],
)
def test_it_names_what_is_wrong(data: Any, sentence: str) -> None:
    with pytest.raises(ScribbleError, match=sentence):
        parse_scribbles(data, 2)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"1" * 5000, json.dumps({"scribbles": 3}).encode()])
def test_it_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ScribbleError, match=r"^bad\.json: "):
        read_scribbles(tmp_path / "bad.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScribbleError, match=r"^none\.json: it cannot be read \(No such file"):
        read_scribbles(tmp_path / "none.json")


def test_a_frame_outside_the_video_is_not_written(tmp_path: Path) -> None:
    outside = Interaction(6, (Scribble(1, np.array([[0.5, 0.5]])),))
    with pytest.raises(ScribbleError, match=r"6 is outside 0\.\.5"):
        write_scribbles(tmp_path / "s.json", [outside], "reef", 6)
    assert not (tmp_path / "s.json").exists()
