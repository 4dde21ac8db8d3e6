"""Tests that TrackEval, the official package for KITTI MOTS, reads the files that we write in this format."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
from trackeval.datasets import KittiMOTS
from trackeval.metrics import HOTA

from segmentation.formats import mots
from segmentation.formats.class_numbers import class_numbers
from segmentation.formats.mots import mots_lines
from tests.segmentation.formats.test_annotation_formats import a_video


def test_trackeval_finds_every_track_of_kitti_mots(tmp_path: Path) -> None:
    labels = ("car", "pedestrian", "fish")
    objects = tuple(
        dataclasses.replace(each, label=label) for each, label in zip(a_video().objects, labels, strict=True)
    )
    video = dataclasses.replace(a_video(), objects=objects)
    numbers = class_numbers([video], mots.CLASSES, mots.FIRST_OWN_CLASS, mots.MOST_CLASSES)
    assert numbers == {"car": 1, "pedestrian": 2, "fish": 11}
    frames = [masks for masks in video.masks() if masks is not None]
    lines = [line for at, masks in enumerate(frames) for line in mots_lines(at, masks, video, numbers)]
    truth, answer = tmp_path / "gt/instances_txt/reef.txt", tmp_path / "trackers/ours/data/reef.txt"
    for path in (truth, answer):
        path.parent.mkdir(parents=True)
    truth.write_text("".join(f"{line}\n" for line in lines if line.split()[2] in ("1", "2")))
    shutil.copy(truth, answer)
    dataset = KittiMOTS(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "GT_LOC_FORMAT": "{gt_folder}/instances_txt/{seq}.txt",
            "SEQ_INFO": {"reef": len(frames)},
            "PRINT_CONFIG": False,
        }
    )
    raw = dataset.get_raw_seq_data("ours", "reef")
    for label, number in (("car", 1), ("pedestrian", 2)):
        data = dataset.get_preprocessed_seq_data(raw, label)
        shown = sum(bool((masks == number).any()) for masks in frames)
        assert (data["num_gt_dets"], data["num_gt_ids"]) == (shown, 1)
        assert np.allclose(HOTA().eval_sequence(data)["HOTA"], 1)
