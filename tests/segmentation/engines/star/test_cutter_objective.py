"""Tests the training of STAR's cutter, the network that segments an object from scribbles in one frame."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence
from segmentation.classical.scaled_frames import ScaledFrame, ScaledFrames, Sizes
from segmentation.cutter.refinement import FIRST_SCRIBBLE_CUE, NUM_CUES, SIDE
from segmentation.engines.star.cutter_objective import Objective, _turned
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.masks import resize_labels
from segmentation.training.clips import ClipConfig
from segmentation.training.cutter_crops import Correcting, _worn
from segmentation.training.plan import load_plan
from segmentation.training.sources import Sources
from tests.segmentation.clips import make_clip
from tests.segmentation.training.training_steps import learn, make_clips, untouched

CLIPS = ClipConfig(frames=2, height=64, width=96, max_objects=2)


def make_objective(**options: object) -> Objective:
    torch.manual_seed(0)
    plan = replace(load_plan("star-cut", "compact"), network={"widths": [4, 8, 12, 16], "skip": 4})
    return Objective(plan, torch.device("cpu"), **options)  # type: ignore[arg-type]


def test_it_learns_and_every_parameter_does(sources: Sources) -> None:
    objective = make_objective()
    clips = make_clips(objective, sources, CLIPS, 4)
    losses = learn(objective, clips, steps=25)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])
    assert not untouched(objective.network)


def test_windows_have_clues_and_truth_of_first_masks_and_corrections(sources: Sources) -> None:
    made = make_clips(make_objective(), sources, CLIPS, 8)
    corrects = np.concatenate([crops.corrects for crops in made])
    assert 0 < corrects.sum() < len(corrects)
    for crops in made:
        count = len(crops.corrects)
        assert crops.images.shape == (count, SIDE, SIDE, 3)
        assert crops.clues.shape == (count, NUM_CUES, SIDE, SIDE)
        assert crops.truth.shape == (count, SIDE, SIDE)
        assert set(np.unique(crops.truth)) <= {0, 1, 255}
        for clues, truth, corrected in zip(crops.clues, crops.truth, crops.corrects, strict=True):
            assert clues[2].any() == corrected  # input channel 2 is the mask before the correction
            drawn = clues[6] == 255
            if drawn.any():
                # scribbles are three pixels wide in a resized frame, so that they exceed the object's border a little
                assert (truth[drawn] == 0).mean() < 0.4
            else:
                assert corrected


def test_what_a_network_draws_is_what_gets_corrected() -> None:
    """A sample corrects the mask that the given network computed. A mask without errors gives no sample."""
    clip = make_clip(length=2, height=64, width=96, num_objects=1)
    truth, pictures = clip.truth[0].astype(np.uint8), ScaledFrames(ArrayFrames(clip.frames), Sizes.of(64, 96))
    half = truth.copy()
    half[:, int(np.nonzero(truth)[1].mean()) :] = 0
    drawn: list[ObjectEvidence] = []

    def draw(picture: ScaledFrame, evidence: ObjectEvidence) -> np.ndarray:
        drawn.append(evidence)
        return cv2.resize((half if len(drawn) == 1 else truth).astype(np.float32), picture.grey.shape[::-1])

    strokes = list(first_strokes(truth, 1))
    first = InteractedFrame(pictures, 0, [], strokes, None, 0).evidence(1)
    for seed in range(40):
        drawn.clear()
        made = Correcting(pictures, truth, np.random.default_rng(seed), draw).begun(first, strokes)
        if drawn and drawn[0] is first:
            break
    seen = resize_labels(half, *first.cut.shape) > 0
    np.testing.assert_array_equal(made[0][0].before, seen)
    assert made[0][0].missed.any()
    assert made[0][0].contradicts
    assert len(made) == 1  # no second correction: the second mask has no errors or was not computed
    assert not Correcting(pictures, truth, np.random.default_rng(0), draw).of(truth, [])


def test_masks_that_nobody_drew_on_are_put_right_too(sources: Sources) -> None:
    made = make_clips(make_objective(), sources, CLIPS, 16)
    followed = [clues for crops in made for clues in crops.clues if not clues[FIRST_SCRIBBLE_CUE:].any()]
    assert followed
    for clues in followed:
        np.testing.assert_array_equal(clues[0], clues[2])  # input channel 0 equals channel 2, the earlier mask
        assert ((clues[0] > 127) == (clues[1] > 127)).mean() > 0.95


def test_masks_to_correct_come_from_weights_that_are_given(sources: Sources, tmp_path: Path) -> None:
    plain = make_objective()
    torch.nn.init.constant_(plain.network.out.bias, 50.0)  # type: ignore[union-attr, arg-type]
    save_checkpoint(tmp_path / "star-cut.safetensors", "star-cut", plain.network, {})
    objective = make_objective(own=tmp_path)
    whole = [
        clues[2]
        for crops in make_clips(objective, sources, CLIPS, 12)
        for clues in crops.clues
        if clues[FIRST_SCRIBBLE_CUE:].any()
    ]
    assert max(before.mean() for before in whole) > 0.6 * 255  # only these weights give a mask that fills the crop


def test_turning_a_batch_moves_all_of_it_alike() -> None:
    random = np.random.default_rng(0)
    disc = (np.hypot(*(np.mgrid[0:64, 0:64] - 30.0)) < 15).astype(np.float32)
    images = torch.from_numpy(disc)[None, None].repeat(3, 3, 1, 1)
    clues, truth = images[:, :1].repeat(1, NUM_CUES, 1, 1), torch.from_numpy(disc)[None].repeat(3, 1, 1).to(torch.uint8)
    truth[:, :4] = 255
    shown, known, answer = _turned(images, clues, truth, random)
    decided = answer != 255
    assert decided.float().mean() > 0.7
    assert set(answer.unique().tolist()) == {0, 1, 255}
    assert (((known[:, 0] > 0.5) == (answer == 1)) | ~decided).float().mean() > 0.98
    assert shown.shape == images.shape


def test_a_worn_mask_is_still_a_mask_of_much_the_same() -> None:
    random = np.random.default_rng(0)
    mask = np.zeros((96, 128), np.uint8)
    mask[30:70, 40:90] = 1
    found = np.stack([_worn(mask, random) for _ in range(40)])
    assert set(np.unique(found)) <= {0, 1}
    j = (found & mask).sum((1, 2)) / (found | mask).sum((1, 2))
    assert 0.3 < np.median(j) < 0.95
    assert not _worn(np.zeros_like(mask), random).any()


def test_validation_compares_it_with_what_it_starts_from(sources: Sources) -> None:
    objective = make_objective()
    figures = objective.validate(objective.network.eval(), sources)
    assert set(figures) == {"score", "cut", "first", "cut_corrected", "corrected", "cut_again", "again"}
    assert all(0 <= value <= 1 for value in figures.values())
