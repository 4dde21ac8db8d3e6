"""The folder in the DAVIS layout that tests of the evaluation programs read."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from segmentation import registry
from segmentation.formats.label_png import write_labels
from segmentation.formats.scribble_json import write_scribbles
from tests.segmentation.clips import interaction_on, make_clip


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that a test loads are gone after it."""
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))


@pytest.fixture
def davis(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a folder in the DAVIS layout, with a clip for each of `names`.

    `level` is the folder of the resolution, "" for none.
    """

    def make(level: str = "480p", names: tuple[str, ...] = ("reef",), scribbles: bool = True) -> Path:
        for seed, name in enumerate(names):
            clip = make_clip(length=5, num_objects=2, seed=seed)
            images, masks = (tmp_path / part / level / name for part in ("JPEGImages", "Annotations"))
            for t in range(5):
                images.mkdir(parents=True, exist_ok=True)
                masks.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(images / f"{t:05d}.png"), clip.frames[t][..., ::-1])
                write_labels(masks / f"{t:05d}.png", clip.truth[t])
            if scribbles:
                (tmp_path / "Scribbles" / name).mkdir(parents=True)
                write_scribbles(tmp_path / "Scribbles" / name / "001.json", [interaction_on(clip, 1)], name, 5)
        return tmp_path

    return make
