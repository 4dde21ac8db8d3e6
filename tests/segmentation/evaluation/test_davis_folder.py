"""Tests loading the sequences of a folder, for example with gaps in the object ids, and which folders are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from segmentation.evaluation.davis_folder import DavisFolder, FolderError, load_sequence, usable_sequences
from segmentation.formats.davis_folder import DavisPaths, write_masks
from segmentation.formats.label_png import write_labels
from segmentation.formats.scribble_json import write_scribbles
from segmentation.types import Interaction, Scribble
from tests.segmentation.clips import make_clip
from tests.segmentation.shared_data import shared

CLIP = make_clip(length=3, height=48, width=64, num_objects=2)


def lay_out(root: Path, name: str = "car", ids: tuple[int, ...] = (0, 1, 2), level: str = "480p/") -> Path:
    """Write a data set of one sequence called `name`, in whose masks object i has the id `ids[i]`, and return `root`.

    `level` is the folder of the resolution, "" for none.
    """
    frames, masks = root / f"JPEGImages/{level}{name}", root / f"Annotations/{level}{name}"
    frames.mkdir(parents=True)
    masks.mkdir(parents=True)
    for index, (frame, labels) in enumerate(zip(CLIP.frames, CLIP.truth, strict=True)):
        cv2.imwrite(str(frames / f"{index:05d}.jpg"), frame[..., ::-1])
        write_labels(masks / f"{index:05d}.png", np.array(ids, np.uint8)[labels])
    return root


def test_objects_are_numbered_without_holes(tmp_path: Path) -> None:
    sequence = load_sequence(DavisFolder(lay_out(tmp_path, ids=(0, 3, 9))), "car")
    assert (sequence.object_ids, sequence.num_objects) == ((3, 9), 2)
    assert np.array_equal(sequence.truth, CLIP.truth)


def test_scribbles_are_numbered_as_the_objects_are(tmp_path: Path) -> None:
    root = lay_out(tmp_path, ids=(0, 3, 9))
    (root / "Scribbles/car").mkdir(parents=True)
    file = root / "Scribbles/car/001.json"
    drawn = tuple(Scribble(number, np.array([[0.5, 0.5]])) for number in (9, 0, 3))
    write_scribbles(file, [Interaction(1, drawn)], "car", 3)
    sequence = load_sequence(DavisFolder(root), "car")
    assert sequence.scribble_files == (file,)
    (interaction,) = sequence.scribbles(file)
    assert [scribble.object_id for scribble in interaction.scribbles] == [2, 0, 1]
    write_scribbles(file, [Interaction(1, (Scribble(4, np.array([[0.5, 0.5]])),))], "car", 3)
    with pytest.raises(FolderError, match=r"001\.json draws object 4; no mask shows it"):
        load_sequence(DavisFolder(root), "car")
    write_scribbles(file, [Interaction(1, drawn)], "car", 4)
    with pytest.raises(FolderError, match="for a video of 4 frames, this one has 3"):
        load_sequence(DavisFolder(root), "car")


@pytest.mark.parametrize("ids", [(0, 255, 0), (0, 1, 0), (0, 77, 0)])
def test_masks_of_one_object_are_one_object(tmp_path: Path, ids: tuple[int, ...]) -> None:
    sequence = load_sequence(DavisFolder(lay_out(tmp_path, ids=ids)), "car")
    assert sequence.num_objects == 1
    assert np.array_equal(sequence.truth, (CLIP.truth == 1).astype(np.uint8))


@pytest.mark.parametrize("level", ["480p/", "", "Full-Resolution/"])
def test_the_resolution_is_found(tmp_path: Path, level: str) -> None:
    folder = DavisFolder(lay_out(tmp_path, level=level))
    assert folder.names() == ["car"]
    assert load_sequence(folder, "car").num_objects == 2


def test_backslashes_in_the_names_of_files_separate_folders(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "a")
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in [path for path in root.rglob("*") if path.is_file()]:
        path.rename(flat / str(path.relative_to(root)).replace("/", "\\"))
    assert load_sequence(DavisFolder(flat), "car").num_objects == 2


def test_a_bad_sequence_is_named_and_the_good_ones_are_evaluated(tmp_path: Path) -> None:
    root = lay_out(lay_out(lay_out(tmp_path, "bus"), "car"), "dog")
    extra = root / "Annotations/480p/car/00003.png"
    extra.write_bytes((root / "Annotations/480p/car/00002.png").read_bytes())
    (root / "Annotations/480p/dog/00001.png").unlink()
    folder = DavisFolder(root)
    good, bad = usable_sequences(folder, folder.names())
    assert list(good) == ["bus"]
    assert bad == {
        "car": "car: The mask car/00003.png has no frame of the same name",
        "dog": "dog: 3 frames but 2 masks; 00001.jpg is the first without one",
    }
    with pytest.raises(FolderError, match=r"car/00003\.png has no frame"):
        usable_sequences(folder, ["car"])


def test_a_file_of_several_pages_is_refused_and_not_read_in_part(tmp_path: Path) -> None:
    from PIL import Image

    root = lay_out(tmp_path)
    pages = [Image.fromarray(frame) for frame in CLIP.frames]
    pages[0].save(root / "JPEGImages/480p/car/00003.tif", save_all=True, append_images=pages[1:])
    write_labels(root / "Annotations/480p/car/00003.png", CLIP.truth[0])
    with pytest.raises(FolderError, match=r"00003\.tif has 3 pages; save each as a file"):
        load_sequence(DavisFolder(root), "car")


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    paths = DavisPaths("car", 48)
    for index, frame in enumerate(CLIP.frames):
        file = tmp_path / paths.frame(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), frame)
    assert write_masks(tmp_path, paths, enumerate(CLIP.truth)) == 3
    assert np.array_equal(load_sequence(DavisFolder(tmp_path), "car").truth, CLIP.truth)


@pytest.mark.parametrize(
    ("case", "objects"), [("davis_root_L255", 1), ("davis_root_ids13", 2), ("davis_root_ytvos", 2), ("extra_mask", 1)]
)
def test_shared_data_sets_are_evaluated(tmp_path: Path, case: str, objects: int) -> None:
    with zipfile.ZipFile(shared(f"cases/{case}.zip")) as archive:
        archive.extractall(tmp_path)
    folder = DavisFolder(tmp_path)
    good, bad = usable_sequences(folder, folder.names())
    assert [sequence.num_objects for sequence in good.values()] == [objects]
    assert list(bad) == (["car"] if case == "extra_mask" else [])
