"""Provides a generated data folder for training: two videos (one for validation), a still image, an excluded folder."""

from pathlib import Path

import cv2
import pytest

from segmentation.formats.label_png import write_labels
from segmentation.training.sources import Sources, find_sources
from tests.segmentation.clips import make_clip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name, objects in (("moving", 2), ("held-out", 1)):
        clip = make_clip(length=5, height=40, width=64, num_objects=objects)
        frames, masks = root / "clips/JPEGImages" / name, root / "clips/Annotations" / name
        frames.mkdir(parents=True)
        masks.mkdir(parents=True)
        for i, (frame, labels) in enumerate(zip(clip.frames, clip.truth, strict=True)):
            cv2.imwrite(str(frames / f"{i:05d}.jpg"), frame[..., ::-1])
            write_labels(masks / f"{i:05d}.png", labels)
    still = make_clip(length=1, height=50, width=60, num_objects=1, seed=4)
    (root / "still/images").mkdir(parents=True)
    (root / "still/masks").mkdir()
    cv2.imwrite(str(root / "still/images/one.webp"), still.frames[0])
    write_labels(root / "still/masks/one.png", still.truth[0])
    (root / "development/images").mkdir(parents=True)  # excluded by the plan, so that its missing masks are no error
    cv2.imwrite(str(root / "development/images/a.png"), still.frames[0])
    return root


@pytest.fixture
def sources(data: Path) -> Sources:
    return find_sources(data, ("held-out",), ("development",))
