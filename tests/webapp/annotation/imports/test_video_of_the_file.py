"""Tests of which video of a project gets the masks of a file, if nobody names it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.webapp.annotation.export.test_jobs import exported
from tests.webapp.annotation.imports.test_mask_imports import imported, masks_at_head, masks_zip
from webapp.accounts.models import User
from webapp.annotation.models import MaskImportState
from webapp.videos.models import Video


@pytest.mark.parametrize(
    "format_name",
    [
        *("davis", "objects", "youtube-vos", "youtube-vis", "coco", "mots", "cvat", "npz"),
        *("cvat-images", "datumaro", "labelme", "label-studio", "voc", "cityscapes"),
    ],
)
def test_the_export_of_the_only_video_comes_in_again_at_the_project(video: Video, format_name: str) -> None:
    path = exported(video, format_name)
    made = imported(path, video.project, video.created_by, f"reef.{format_name}.zip")
    assert (made.state, made.error) == (MaskImportState.DONE, "")
    assert [each["video"] for each in made.result] == [video.pk]


def test_masks_without_the_name_of_a_video_are_imported_at_one_of_several_videos(video: Video, twin: Video) -> None:
    made = imported(exported(video, "voc"), video.project, video.created_by, "reef.zip")
    sentence = "The file does not say to which video its masks belong. Import it at the video itself."
    assert (made.state, made.error) == (MaskImportState.FAILED, sentence)


def test_masks_without_the_name_of_a_video_must_have_the_size_of_the_only_one(
    video: Video, owner: User, tmp_path: Path
) -> None:
    path = masks_zip(tmp_path / "x.zip", {"SegmentationObject/0.png": np.ones((100, 240), np.uint8)})
    made = imported(path, video.project, owner)
    assert made.state == MaskImportState.FAILED
    assert "240 x 100 pixels, the video Coral reef has 240 x 160" in made.error


def coco(path: Path, names: list[str], video: Video) -> Path:
    """Write a COCO file with an image for each name of a video. The mask in the nth image has n rows of 90 pixels."""
    size = {"width": video.width, "height": video.height}
    images = [{"id": at, "file_name": f"{name}/0.png", **size} for at, name in enumerate(names, 1)]
    masks = [
        {"id": at, "image_id": at, "category_id": 1, "track_id": 1, "segmentation": [[0, 0, 90, 0, 90, at, 0, at]]}
        for at, _ in enumerate(names, 1)
    ]
    content = {"images": images, "annotations": masks, "categories": [{"id": 1, "name": "Fish"}]}
    path.write_text(json.dumps(content))
    return path


def test_a_name_with_folders_means_the_video_that_has_them_too(video: Video, twin: Video, tmp_path: Path) -> None:
    """The names of the videos, as they come from a data set with splits, end with the same part."""
    for row, name in ((video, "train/a"), (twin, "valid/a")):
        Video.objects.filter(pk=row.pk).update(name=name)
    made = imported(coco(tmp_path / "x.json", ["valid/a", "train/a"], video), video.project, video.created_by)
    assert (made.state, made.error) == (MaskImportState.DONE, "")
    assert len(made.result) == 2
    assert masks_at_head(twin)[0].sum() == 90, "the mask of valid/a, which has one row"
    made = imported(coco(tmp_path / "y.json", ["a"], video), video.project, video.created_by)
    assert "Several videos are called a." in made.error
    Video.objects.filter(pk=twin.pk).update(name="a")
    made = imported(coco(tmp_path / "z.json", ["a"], video), video.project, video.created_by)
    assert [each["video"] for each in made.result] == [twin.pk], made.error


def test_masks_with_another_name_do_not_go_to_the_only_video(video: Video, owner: User, tmp_path: Path) -> None:
    path = masks_zip(tmp_path / "x.zip", {"Annotations/Nemo/0.png": np.ones((160, 240), np.uint8)})
    made = imported(path, video.project, owner)
    assert made.state == MaskImportState.FAILED
    assert "masks of Nemo, and no video of this project" in made.error
