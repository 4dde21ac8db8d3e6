"""Tests the golden comparison of unusual, incomplete and damaged cases, most of which fail with a message."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from segmentation.evaluation.golden.__main__ import SYSTEMS, main
from segmentation.evaluation.golden.case import Array, Case
from tests.segmentation.evaluation.tiny_golden import save_arrays, shrink, tiny_case, with_golden


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


@pytest.mark.parametrize(
    ("system", "name", "shape"),
    [
        ("ipn", "obj5.I0.loss", (1,)),
        ("stm", "M0.in_m", (5, 16, 20)),
        ("stm_interactive", "merged.softmax", (6, 6, 16, 20)),
        ("manet", "obj_ids", (6,)),
        ("manet", "global_map", (16, 20, 6)),
    ],
)
def test_an_object_outside_the_frame_counts_as_an_object(
    tmp_path: Path, system: str, name: str, shape: tuple[int, ...]
) -> None:
    case = tiny_case(tmp_path, system, objects=5)
    assert case.num_objects == 4
    assert with_golden(case, {name: np.zeros(shape)}).num_objects == 5


@pytest.mark.parametrize("system", SYSTEMS)
def test_five_objects_are_compared_one_of_them_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    case = tiny_case(tmp_path, system, objects=5)
    with monkeypatch.context() as official:
        official.setattr(Case, "num_objects", 5)
        with_golden(case)
    assert main([str(tmp_path)]) == 0


def test_a_case_without_arrays_is_not_called_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_golden(tiny_case(tmp_path, "stm"), {})
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "MISS holds no arrays" in out
    assert "NOT exact" in out


def damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    changed = {
        "cut": content[:middle],
        "empty": b"",
        "flipped": content[:middle]
        + bytes(byte ^ 255 for byte in content[middle : middle + 64])
        + content[middle + 64 :],
        "text": b"no archive",
    }
    path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "text"])
@pytest.mark.parametrize("which", ["golden_path", "inputs_path"])
def test_a_damaged_archive_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str, how: str
) -> None:
    case = with_golden(tiny_case(tmp_path, "stm"), {"M0.key": np.zeros((2, 4, 4, 5), np.float32)})
    path: Path = getattr(case, which)
    damaged(path, how)
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}: cannot be read (")


def test_an_input_that_is_not_stored_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = with_golden(tiny_case(tmp_path, "stm"), {"M0.key": np.zeros((2, 4, 4, 5))})
    np.savez(case.inputs_path, labels=case.labels)
    assert main([str(tmp_path)]) == 2
    assert f"{case.inputs_path}: holds no array 'frames'" in capsys.readouterr().err


def test_a_folder_of_cases_alone_is_compared_and_what_was_not_checked_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_golden(tiny_case(tmp_path, "ipn", objects=1))
    assert main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for name in ("state_dict.json", "get_weight_cases.json"):
        assert f"{name} is not there, so what it says was not checked" in out


@pytest.mark.parametrize(
    ("text", "said"), [("{", "state_dict.json: cannot be read"), ("[]", "no network of state_dict.json")]
)
def test_a_damaged_state_dict_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    case = with_golden(tiny_case(tmp_path, "stm"), {"M0.key": np.zeros((2, 4, 4, 5))})
    (case.folder / "state_dict.json").write_text(text)
    assert main([str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_weights_of_rounds_that_are_there_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = with_golden(tiny_case(tmp_path, "ipn", objects=1), {"obj1.I0.loss": np.zeros(1)})
    wrong = {"target": 1, "prev_targets": [], "num_frames": 3, "at_least": -1, "left_end": 0, "right_end": 2}
    (case.folder / "get_weight_cases.json").write_text(json.dumps([{**wrong, "weight": [0, 0, 0]}]))
    assert main([str(tmp_path)]) == 2
    assert "ipn: weights of" in capsys.readouterr().err


@pytest.mark.parametrize("lost", ["inputs_path", "golden_path"])
def test_half_a_case_beside_a_whole_one_is_a_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    whole = with_golden(tiny_case(tmp_path, "stm"))
    half = Case(whole.folder, "q")
    kept: dict[str, Array] = dict(whole.inputs if lost == "golden_path" else whole.golden)
    save_arrays(half.inputs_path if lost == "golden_path" else half.golden_path, kept)
    assert main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    (missed,) = [line for line in lines if "MISS" in line and line.startswith("stm/")]
    assert missed.split()[:2] == ["stm/q", getattr(half, lost).name]
    assert missed.endswith("not there, so the case cannot be compared")
    assert main([str(tmp_path), "--case", "b"]) == 0
    assert main([str(tmp_path), "--case", "q"]) == 1
