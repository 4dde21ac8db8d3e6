"""Tests that sequences are found in the folder layouts of common data sets, and masks paired with their frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentation.formats.davis_layout import Layout, _Place, find_sequences
from segmentation.formats.file_tree import FolderTree, is_clutter


def names(folder: str, count: int = 3, suffix: str = ".jpg", form: str = "{:05}") -> list[str]:
    return [f"{folder}/{form.format(index)}{suffix}" for index in range(count)]


def pairs(layout: Layout, at: int = 0) -> list[tuple[str, str | None]]:
    """Return pairs of file names (frame, its mask or None) of the sequence with the index `at`."""
    sequence = layout.sequences[at]
    masks = {frame: mask.rpartition("/")[2] for frame, mask in sequence.masks.items()}
    return [(frame.rpartition("/")[2], masks.get(frame)) for frame in sequence.frames]


LAYOUTS = {
    "DAVIS": ("JPEGImages/480p/car", "Annotations/480p/car", "car"),
    "in a folder": ("DAVIS/JPEGImages/480p/car", "DAVIS/Annotations/480p/car", "car"),
    "YouTube-VOS": ("train/JPEGImages/car", "train/Annotations/car", "car"),
    "other letters": ("jpegimages/Full-Resolution/car", "ANNOTATIONS/Full-Resolution/car", "car"),
    "masks of one size": ("JPEGImages/Full-Resolution/car", "Annotations/car", "car"),
    "frames without a resolution": ("JPEGImages/car", "Annotations/480p/car", "car"),
    "flat": ("car/JPEGImages", "car/Annotations", "car"),
    "flat below a resolution": ("JPEGImages/480p", "Annotations/480p", "480p"),
    "PASCAL VOC": ("JPEGImages", "SegmentationObject", ""),
    "deeper": ("JPEGImages/480p/street/car", "Annotations/480p/street/car", "street/car"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_sequence_with_its_masks(layout: str) -> None:
    frames, masks, name = LAYOUTS[layout]
    found = find_sequences([*names(frames), *names(masks, suffix=".png")])
    assert [(sequence.name, sequence.problem) for sequence in found.sequences] == [(name, "")]
    assert pairs(found) == [(f"{index:05}.jpg", f"{index:05}.png") for index in range(3)]


def test_frames_are_in_natural_order_and_masks_go_by_name() -> None:
    files = names("JPEGImages/car", 12, form="{}") + names("Annotations/car", 12, ".png", "{}")
    assert pairs(find_sequences(sorted(files))) == [(f"{index}.jpg", f"{index}.png") for index in range(12)]


@pytest.mark.parametrize(
    ("frame", "mask"),
    [("{:05}", "{}"), ("frame_{:04}", "mask_{:04}"), ("{:05}", "{:05}_gt"), ("{:05}", "{:05}.jpg"), ("{:05}", "{:05}")],
)
def test_masks_of_other_names_go_by_their_number(frame: str, mask: str) -> None:
    files = names("JPEGImages/car", 3, form=frame) + names("Annotations/car", 3, ".png", mask)
    assert pairs(find_sequences(files)) == [(f"{frame.format(i)}.jpg", f"{mask.format(i)}.png") for i in range(3)]


def test_a_sequence_may_have_masks_of_some_frames() -> None:
    files = [*names("JPEGImages/car", 6), "Annotations/car/00000.png", "Annotations/car/00005.png"]
    found = find_sequences(files)
    assert found.sequences[0].problem == ""
    assert [mask for _, mask in pairs(found)] == ["00000.png", None, None, None, None, "00005.png"]


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ([f"Annotations/car/{i:05}.png" for i in range(1, 4)], "The mask car/00003.png has no frame of the same name."),
        ([f"Annotations/car/{i:05}.png" for i in range(5)], "car/00003.png has no frame of the same name, nor have 1"),
        (["Annotations/car/00000.png", "Annotations/car/00000.gif"], "is a second one for its frame"),
    ],
)
def test_shifted_extra_and_double_masks_are_a_problem_of_their_sequence(masks: list[str], words: str) -> None:
    bus = names("JPEGImages/bus") + names("Annotations/bus", suffix=".png")
    found = find_sequences([*names("JPEGImages/car"), *masks, *bus])
    assert [(sequence.name, bool(sequence.problem)) for sequence in found.sequences] == [("bus", False), ("car", True)]
    assert words in found.sequences[1].problem


def test_a_sequence_of_the_same_name_in_two_splits_is_two() -> None:
    files = [*names("d/train/JPEGImages/car"), *names("d/valid/JPEGImages/car", 2), *names("d/valid/JPEGImages/bus")]
    files += [*names("d/train/Annotations/car", suffix=".png"), *names("d/valid/Annotations/car", 2, ".png")]
    found = find_sequences(files)
    assert [(sequence.name, len(sequence.masks)) for sequence in found.sequences] == [
        ("bus", 0),
        ("train/car", 3),
        ("valid/car", 2),
    ]
    split_below = find_sequences([*names("JPEGImages/train/car"), *names("JPEGImages/valid/car")])
    assert [sequence.name for sequence in split_below.sequences] == ["train/car", "valid/car"]


def test_sequences_that_differ_in_upper_and_lower_case_only_are_two() -> None:
    files = [*names("JPEGImages/480p/Car"), *names("JPEGImages/480p/car"), *names("JPEGImages/480p/bus")]
    masks = [*names("Annotations/480p/Car", suffix=".png"), *names("Annotations/480p/BUS", suffix=".png")]
    found = find_sequences([*files, *masks, "Scribbles/car/001.json"]).sequences
    assert sorted((s.name, s.folder, len(s.masks), len(s.scribbles)) for s in found) == [
        ("Car", "JPEGImages/480p/Car", 3, 0),
        ("bus", "JPEGImages/480p/bus", 3, 0),
        ("car", "JPEGImages/480p/car", 0, 1),
    ]
    several = find_sequences([*names("JPEGImages/480p/car"), *names("JPEGImages/1080p/Car")])
    assert [s.folder for s in several.sequences] == ["JPEGImages/480p/car"], "two resolutions of one sequence"


def test_480p_is_taken_where_there_are_several_resolutions() -> None:
    files = [
        *names("JPEGImages/1080p/car"),
        *names("JPEGImages/480p/car"),
        *names("Annotations/480p/car", suffix=".png"),
    ]
    found = find_sequences(files)
    assert [sequence.folder for sequence in found.sequences] == ["JPEGImages/480p/car"]
    assert (found.left_out, found.resolutions) == ((), ("1080p", "480p"))
    asked = find_sequences(files, "1080p")
    assert [sequence.folder for sequence in asked.sequences] == ["JPEGImages/1080p/car"]


def test_what_is_not_read_is_named_with_the_sequence_it_lies_in() -> None:
    files = [
        *names("JPEGImages/480p/car"),
        "JPEGImages/480p/car/00003.heic",
        "Annotations/480p/car/notes.xml",
        "clip.mp4",
        "ImageSets/2017/val.txt",
        "Scribbles/car/001.json",
        "README.md",
        "objects.json",
    ]
    found = find_sequences(files)
    assert found.sequences[0].left_out == ("JPEGImages/480p/car/00003.heic",)
    assert found.left_out == ("Annotations/480p/car/notes.xml", "clip.mp4")
    plain = find_sequences(["take/1.jpg", "take/IMG_3.heic", "preview.gif", "take/preview.gif", "notes.txt"])
    assert [(s.folder, s.left_out) for s in plain.sequences] == [("take", ("take/IMG_3.heic", "take/preview.gif"))]
    assert plain.left_out == ("notes.txt", "preview.gif")
    assert [s.frames for s in find_sequences(["a.gif"]).sequences] == [("a.gif",)]


def test_files_that_systems_leave_behind_belong_to_no_sequence() -> None:
    clutter = [
        "f/@eaDir/00000.jpg/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/f/._00000.jpg",
        "f/.DS_Store",
        "f/Thumbs.db",
        "f/desktop.ini",
        "$RECYCLE.BIN/x.jpg",
        "f/.ipynb_checkpoints/00000-checkpoint.jpg",
    ]
    assert all(map(is_clutter, clutter))
    found = find_sequences([*names("f"), *clutter])
    assert [(sequence.folder, len(sequence.frames)) for sequence in found.sequences] == [("f", 3)]
    assert (found.left_out, found.sequences[0].left_out) == ((), ())


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "car").mkdir(parents=True)
    for index in range(3):
        (store / "car" / f"{index:05}.jpg").write_bytes(b"")
    root = tmp_path / "data"
    (root / "JPEGImages" / "480p" / "bus").mkdir(parents=True)
    (root / "JPEGImages" / "480p" / "car").symlink_to(store / "car")
    (root / "JPEGImages" / "480p" / "bus" / "0.jpg").symlink_to(store / "car" / "00001.jpg")
    (root / "JPEGImages" / "480p" / "bus" / "1.jpg").symlink_to(store / "gone.jpg")
    (root / "JPEGImages" / "again").symlink_to(root)
    tree = FolderTree(root)
    assert sorted(tree.names) == [
        "JPEGImages/480p/bus/0.jpg",
        *[f"JPEGImages/480p/car/{index:05}.jpg" for index in range(3)],
    ]
    assert tree.broken == ["JPEGImages/480p/bus/1.jpg"]


def test_a_backslash_in_any_part_of_a_path_separates_folders_and_plain_names_go_first(tmp_path: Path) -> None:
    files = {"a/1.png": b"plain", "a\\1.png": b"double", "b\\c/2.png": b"folder", "d\\3.png": b"file"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text)
    tree = FolderTree(tmp_path)
    assert {name: tree.read(name) for name in tree.names} == {
        "a/1.png": b"plain",
        "b/c/2.png": b"folder",
        "d/3.png": b"file",
    }
    assert len(tree.names) == 3


def test_the_work_grows_with_the_number_of_sequences_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    folded = []
    key = _Place.key.fget  # type: ignore[attr-defined]

    def counting(place: _Place) -> tuple[str, str]:
        folded.append(place)
        return key(place)

    monkeypatch.setattr(_Place, "key", property(counting))
    paths = []
    for number in range(50):
        paths += names(f"JPEGImages/480p/{number}", 1) + names(f"Annotations/480p/{number}", 1, ".png")
        paths += names(f"Scribbles/{number}", 1, ".json")
    layout = find_sequences(paths)
    assert [len(each.masks) + len(each.scribbles) for each in layout.sequences] == [2] * 50
    assert len(folded) <= 20 * 50
