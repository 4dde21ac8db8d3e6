from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from segmentation.checkpoints import read_checkpoint, save_checkpoint
from segmentation.engines.star import train_confidence
from segmentation.engines.star.confidence import Confidence
from segmentation.engines.star.network import Star, StarConfig
from segmentation.engines.star.train_confidence import DRAWN, PROPAGATED, Rows, fit, main, play, read_network
from segmentation.formats.label_png import write_labels
from segmentation.training.clips import Clip
from tests.segmentation.clips import make_clip

TINY = StarConfig(embedding=8, context=4, widths=(8, 6, 4), blocks=1)


def test_every_mask_of_a_simulated_user_gives_a_row_with_its_true_j() -> None:
    made = make_clip(length=4, height=64, width=96, num_objects=2)
    found = play(Star(TINY).eval(), Clip(made.frames, made.truth, 2), np.random.default_rng(0))
    rounds = len(found[DRAWN])
    assert rounds >= 1
    propagated = Rows.joined(found[PROPAGATED])
    assert len(propagated.j) == 2 * sum(4 - number for number in range(1, rounds + 1))
    assert bool(((propagated.j >= 0) & (propagated.j <= 1)).all())


def test_a_fitted_estimate_is_near_the_true_j() -> None:
    torch.manual_seed(0)
    evidence = torch.randn(2000, 3)
    j = torch.sigmoid(2 * evidence[:, 0] + 0.5)
    estimate = Confidence(3)
    assert fit(estimate, Rows(evidence, j)) < 0.6  # The loss before the fit is 0.69.
    assert float((estimate(evidence) - j).abs().mean()) < 0.05


def test_the_command_writes_weights_that_differ_in_their_confidence_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seed in (("moving", 0), ("held-out", 1)):
        made = make_clip(length=3, height=64, width=96, num_objects=1, seed=seed)
        for kind in ("JPEGImages", "Annotations"):
            (tmp_path / "data" / "set" / kind / name).mkdir(parents=True)
        for t in range(3):
            image = tmp_path / "data" / "set" / "JPEGImages" / name / f"{t:05d}.jpg"
            cv2.imwrite(str(image), made.frames[t][..., ::-1])
            write_labels(tmp_path / "data" / "set" / "Annotations" / name / f"{t:05d}.png", made.truth[t])
    plan = train_confidence.load_plan("star", "compact")
    monkeypatch.setattr(
        train_confidence, "load_plan", lambda *_: train_confidence.replace(plan, validation=("held-out",))
    )
    save_checkpoint(tmp_path / "star.safetensors", "star", Star(TINY), {"steps": "7"})
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path / "data"), "--weights", str(tmp_path / "star.safetensors"), "--out", str(out)]
    assert main([*arguments, "--clips", "0"]) == 0
    before, after = (read_checkpoint(path / "star.safetensors") for path in (tmp_path, out))
    changed = {key for key, value in after.tensors.items() if not torch.equal(value, before.tensors[key])}
    assert changed
    assert all(key.startswith((PROPAGATED, DRAWN)) for key in changed)
    assert after.header["steps"] == "7"
    assert set(json.loads((out / "reliability.json").read_text())) == {PROPAGATED, DRAWN}


def test_weights_of_a_training_run_without_confidence_are_read(tmp_path: Path) -> None:
    network = Star(TINY)
    save_checkpoint(tmp_path / "star.safetensors", "star", network, {})
    given = read_checkpoint(tmp_path / "star.safetensors")
    assert read_network(tmp_path / "star.safetensors").config == TINY
    assert given.header["network"] == "star"
