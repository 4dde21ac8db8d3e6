"""Tests that the patched davisinteractive computes the stored numbers, and that our J and F equal its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from segmentation.evaluation.package import HOW_TO_INSTALL, davisinteractive, make_robot
from segmentation.metrics import score

GOLDEN = Path(__file__).parents[2] / "golden" / "davis_interactive"
MASKS = np.load(GOLDEN / "robot.npz")
NUMBERS = json.loads((GOLDEN / "robot_and_summary.json").read_text())
KERNELS = {"service": 0.2, "default": 0.15}


@pytest.mark.parametrize("case", list(NUMBERS["robot_paths"]))
def test_the_robot_draws_the_golden_scribbles(case: str) -> None:
    objects, kernel, frame = case[1:].split("_")
    truth, predicted = MASKS[f"gt{objects}"], MASKS[f"pred{objects}"]
    drawn = make_robot(KERNELS[kernel]).interact(
        "s", predicted, truth, nb_objects=int(objects), frame=None if frame == "None" else int(frame)
    )
    strokes = [(i, stroke) for i, strokes in enumerate(drawn["scribbles"]) for stroke in strokes]
    golden = NUMBERS["robot_paths"][case]
    assert [(i, s["object_id"], len(s["path"])) for i, s in strokes] == [tuple(g[:3]) for g in golden]
    for (_, stroke), (_, _, _, points) in zip(strokes, golden, strict=True):
        path = np.array(stroke["path"])
        np.testing.assert_allclose(np.concatenate([path[0], path[len(path) // 2], path[-1]]), points, atol=1e-5)
    for size, suffix in ((truth.shape[1:], ""), ((30, 40), "_small")):
        raster = davisinteractive().scribbles.scribbles2mask(drawn, tuple(size))
        np.testing.assert_array_equal(raster, MASKS[f"raster{objects}_{kernel}_{frame}{suffix}"])


def test_the_robot_repeats_itself() -> None:
    first, second = (make_robot().interact("s", MASKS["pred3"], MASKS["gt3"], nb_objects=3, frame=2) for _ in range(2))
    assert [s["path"] for s in first["scribbles"][2]] == [s["path"] for s in second["scribbles"][2]]


@pytest.mark.parametrize("name", list(NUMBERS["summaries"]))
def test_the_summary_is_the_golden_one(name: str, tmp_path: Path) -> None:
    metric, _, limit = name.rpartition("_maxt")
    service = _service({"s1": 1, "s2": 3}, tmp_path, metric, None if limit == "None" else int(limit))
    found = service.summarize_report(pd.read_csv(GOLDEN / "report.csv"))
    wanted = NUMBERS["summaries"][name]
    assert found["auc"] == pytest.approx(wanted["auc"], abs=1e-9)
    assert found["metric_at_threshold"][metric] == pytest.approx(wanted["metric_at_threshold"][metric], abs=1e-9)
    np.testing.assert_allclose(found["curve"]["time"], wanted["curve"]["time"])
    np.testing.assert_allclose(found["curve"][metric], wanted["curve"][metric])


def _service(objects: dict[str, int], root: Path, metric: str, limit: int | None) -> Any:
    package = davisinteractive()
    package.dataset.sets["val"] = list(objects)
    for name, count in objects.items():
        package.dataset.dataset[name] = {"num_frames": 0, "num_objects": count, "num_scribbles": 2}
        scribbles = root / "Scribbles" / name
        scribbles.mkdir(parents=True)
        for number in (1, 2):
            (scribbles / f"{number:03d}.json").touch()
    return package.service.EvaluationService(
        "val", davis_root=str(root), max_t=limit, max_i=4, metric_to_optimize=metric
    )


@pytest.mark.parametrize("seed", range(4))
def test_our_j_and_f_equal_the_package_s_on_random_masks(seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 4, (2, 3, 9, 14))
    truth, predicted = coarse.repeat(11, axis=2).repeat(7, axis=3).astype(np.uint8)
    predicted = np.roll(predicted, seed, axis=1)
    ours = score(truth, predicted, 4)  # the fourth object is in neither mask
    package = davisinteractive().metrics
    theirs = {"average_over_objects": False, "nb_objects": 4}
    np.testing.assert_allclose(ours.j, package.batched_jaccard(truth, predicted, **theirs), atol=1e-6)
    np.testing.assert_allclose(ours.f, package.batched_f_measure(truth, predicted, **theirs), atol=1e-6)


def test_without_the_extra_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    for folder, name in (("JPEGImages", "00000.jpg"), ("Annotations", "00000.png")):
        (tmp_path / folder / "480p" / "a").mkdir(parents=True)
        Image.new("L", (16, 16)).save(tmp_path / folder / "480p" / "a" / name)
    program = (
        "import sys; sys.modules['davisinteractive'] = None\n"
        "from segmentation.evaluation.__main__ import main\n"
        f"sys.exit(main(['--davis-root', {str(tmp_path)!r}, '--out', {str(tmp_path / 'out')!r}]))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert HOW_TO_INSTALL in ended.stderr
    assert "Traceback" not in ended.stderr
