"""Tests that the published systems compute the arrays of the official code, and that a deviation is detected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.evaluation.golden import rules
from segmentation.evaluation.golden.__main__ import SYSTEMS, find_cases, main, program_of
from segmentation.evaluation.golden.case import Array, Case, GoldenError, compare
from tests.segmentation.evaluation.tiny_golden import save_arrays

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def make_case(root: Path, system: str, letter: str, size: tuple[int, int, int], objects: int) -> Case:
    """Write the inputs of a golden case with this seed (the letter), size and number of objects, without golden arrays.

    `size` is (frames, height, width).
    """
    folder = root / system
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(GOLDEN / system / "state_dict.json", folder)
    if (GOLDEN / system / "get_weight_cases.json").exists():
        shutil.copy(GOLDEN / system / "get_weight_cases.json", folder)
    case = Case(folder, letter)
    labels = rules.make_labels(*size, objects)
    arrays: dict[str, Array] = {"frames": rules.make_video(*size, case.seed), "labels": labels}
    for frame in (2, 4):
        arrays[f"scribble_f{frame}"] = rules.make_scribble(labels[frame], objects)
    save_arrays(folder / f"inputs_{letter}.npz", arrays)
    return case


def computed(case: Case, wanted: set[str]) -> dict[str, Array]:
    """Compute the arrays of a case in their order, until all wanted ones are there."""
    found: dict[str, Array] = {}
    for name, array in program_of(case.system)(case):
        found[name] = array
        if wanted <= found.keys():
            break
    assert wanted <= found.keys()
    return found


def relabelled(case: Case, new_ids: list[int]) -> Case:
    """Copy the inputs of a case to another folder, with the id `new_ids[o - 1]` in place of the id o."""
    other = Case(case.folder.parent / "relabelled" / case.system, case.letter)
    shutil.copytree(case.folder, other.folder)
    arrays = dict(case.inputs)
    for name in arrays.keys() - {"frames"}:
        table = np.arange(-1, len(new_ids) + 1)
        table[2:] = new_ids
        arrays[name] = table[arrays[name].astype(int) + 1].astype(arrays[name].dtype)
    save_arrays(other.folder / f"inputs_{case.letter}.npz", arrays)
    return other


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_stored_array_is_reproduced(system: str) -> None:
    for case in find_cases(GOLDEN, [system]):
        rows = list(compare(case, program_of(system)))
        assert len(rows) == len(case.golden)
        assert not [row for row in rows if not row.ok]


@pytest.mark.parametrize("system", ["ipn", "stm", "stm_interactive"])
def test_inputs_follow_the_rules(system: str) -> None:
    case = Case(GOLDEN / system, "a")
    length, height, width, _ = case.frames.shape
    size = length, height, width
    np.testing.assert_array_equal(case.frames, rules.make_video(*size, case.seed))
    np.testing.assert_array_equal(case.labels, rules.make_labels(*size, case.num_objects))
    for name in [name for name in case.inputs if name.startswith("scribble_f")]:
        frame = int(name.removeprefix("scribble_f"))
        np.testing.assert_array_equal(case.inputs[name], rules.make_scribble(case.labels[frame], case.num_objects))


def test_stm_takes_any_seed_size_and_number_of_objects_in_any_order(tmp_path: Path) -> None:
    case = make_case(tmp_path, "stm", "c", (6, 77, 96), objects=3)
    names = ("M0.in_m", "M0.in_o", "M0.value", "Q2.mem", "Q2.decoder_logits")
    wanted = {*names, "Q2.logit", "loop.every2.pred"}
    arrays, swapped = computed(case, wanted), computed(relabelled(case, [3, 1, 2]), wanted)
    assert arrays["Q2.logit"].shape[0] == 5
    for name in names:
        np.testing.assert_allclose(arrays[name], swapped[name][[2, 0, 1]], rtol=1e-3, atol=1e-4, err_msg=name)
    agreement = swapped["loop.every2.pred"] == np.array([0, 3, 1, 2])[arrays["loop.every2.pred"]]
    assert agreement.mean() > 0.995


def test_interactive_stm_takes_any_seed_size_and_number_of_objects_in_any_order(tmp_path: Path) -> None:
    case = make_case(tmp_path, "stm_interactive", "b", (5, 64, 83), objects=2)
    names = ("M.in_scribble_neg", "M.key", "Q.mem", "r2.Es")
    arrays = computed(case, {f"obj1.{name}" for name in names} | {"merged.softmax"})
    swapped = computed(relabelled(case, [2, 1]), {f"obj2.{name}" for name in names})
    for name in names:
        np.testing.assert_allclose(arrays[f"obj1.{name}"], swapped[f"obj2.{name}"], rtol=1e-3, atol=1e-4, err_msg=name)
    assert arrays["merged.softmax"].shape[0] == 3
    np.testing.assert_allclose(arrays["merged.softmax"].sum(axis=0), 1, atol=1e-4)


@pytest.mark.slow
def test_ipn_takes_any_seed_size_and_number_of_objects_in_any_order(tmp_path: Path) -> None:
    case = make_case(tmp_path, "ipn", "b", (5, 301, 417), objects=3)
    names = ("scribble_dilated", "I0.box_yxhw", "I0.r5", "I1.em", "P1.sefa", "P1.em")
    arrays = computed(case, {f"obj3.{name}" for name in names})
    swapped = computed(relabelled(case, [2, 3, 1]), {f"obj1.{name}" for name in names})
    for name in names:
        got, other = arrays[f"obj3.{name}"], swapped[f"obj1.{name}"]
        np.testing.assert_allclose(got, other, rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_wrong_number_is_a_miss(tmp_path: Path) -> None:
    case = make_case(tmp_path, "stm", "a", (6, 48, 48), objects=1)
    wanted = {"Q2.mem", "M0.key", "loop.every5.pred"}
    arrays = {name: array for name, array in computed(case, wanted).items() if name in wanted}
    arrays["M0.key"] = arrays["M0.key"] + 0.01 * np.abs(arrays["M0.key"]).max()
    arrays["loop.every5.pred"] = 1 - arrays["loop.every5.pred"]
    arrays["no_such_array"] = np.zeros(3)
    save_arrays(case.folder / "a.npz", arrays)
    verdicts = {row.name: row.ok for row in compare(case, program_of("stm"))}
    assert verdicts == {"Q2.mem": True, "M0.key": False, "loop.every5.pred": False, "no_such_array": False}
    assert main([str(tmp_path), "--system", "stm"]) == 1
    save_arrays(case.folder / "a.npz", {"Q2.mem": arrays["Q2.mem"]})
    assert main([str(tmp_path), "--system", "stm", "--case", "a"]) == 0


def test_it_says_which_case_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--case", "q"]) == 2
    assert "case 'q'" in capsys.readouterr().err


def test_it_refuses_a_network_with_other_keys(tmp_path: Path) -> None:
    case = make_case(tmp_path, "stm", "a", (6, 48, 48), objects=1)
    shutil.copy(GOLDEN / "ipn" / "state_dict.json", case.folder)
    with pytest.raises(GoldenError, match="STM"):
        list(program_of("stm")(case))
