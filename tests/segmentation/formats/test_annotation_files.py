"""Tests that the format of annotation files is recognised, that their masks are read exactly, and that damaged files
cause no error but AnnotationError.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo, categories
from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.coco_instances import coco_pieces
from segmentation.formats.coco_rle import encode_rle
from segmentation.formats.cvat_video import cvat_pieces
from segmentation.formats.json_file import AnnotationError
from segmentation.formats.label_png import encode_labels
from segmentation.formats.mots import encode_mots_png, mots_lines
from segmentation.formats.youtube_vis import youtube_vis_pieces
from segmentation.types import LabelMap
from tests.segmentation.formats.test_annotation_formats import HEIGHT, OBJECTS, WIDTH, a_video, as_shown, label_maps

TABLE = {
    "objects": [
        {"id": each.id, "name": each.name, "label": each.label or None, "color": "#112233", "absent": [[1, 2]]}
        for each in OBJECTS
    ]
}


@dataclass
class Files:
    """A tree of files in memory."""

    content: dict[str, bytes]
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = list(self.content)

    def read(self, name: str) -> bytes:
        return self.content[name]


def masks() -> dict[int, LabelMap]:
    return {frame: labels for frame, labels in enumerate(label_maps()) if labels is not None}


def png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def table() -> bytes:
    return json.dumps(TABLE).encode()


def davis() -> dict[str, bytes]:
    found = {f"Annotations/480p/reef/{frame:05}.png": encode_labels(labels) for frame, labels in masks().items()}
    return {**found, "JPEGImages/480p/reef/00000.jpg": b"not read", "objects.json": table()}


def youtube_vos() -> dict[str, bytes]:
    found = {f"valid/Annotations/reef/{frame:05}.png": encode_labels(labels) for frame, labels in masks().items()}
    rows = {str(each.id): {"category": each.category, "frames": []} for each in OBJECTS}
    return {**found, "valid/meta.json": json.dumps({"videos": {"reef": {"objects": rows}}}).encode()}


def each_object() -> dict[str, bytes]:
    found = {
        f"{each.id:03}-{each.name}/{frame:05}.png": png((labels == each.id) * np.uint8(255))
        for frame, labels in masks().items()
        for each in OBJECTS
    }
    return {**found, "objects.json": table()}


def npz() -> dict[str, bytes]:
    found = {f"reef/{frame:05}.npy": npy(labels) for frame, labels in masks().items()}
    return {**found, "reef/objects.npy": npy(np.array(json.dumps(TABLE)))}


def mots_pngs() -> dict[str, bytes]:
    numbers = categories([a_video()])
    found = {f"instances/reef/{f:06}.png": encode_mots_png(labels, a_video(), numbers) for f, labels in masks().items()}
    return {**found, "classes.txt": "".join(f"{n} {name}\n" for name, n in numbers.items()).encode()}


def mots_text() -> dict[str, bytes]:
    numbers = categories([a_video()])
    lines = [line for frame, labels in masks().items() for line in mots_lines(frame, labels, a_video(), numbers)]
    return {"instances_txt/reef.txt": "\n".join(lines).encode(), "classes.txt": mots_pngs()["classes.txt"]}


def coco() -> dict[str, bytes]:
    return {"instances.json": b"".join(coco_pieces([a_video()]))}


def youtube_vis() -> dict[str, bytes]:
    return {"instances.json": b"".join(youtube_vis_pieces([a_video()]))}


def cvat() -> dict[str, bytes]:
    return {"annotations.xml": b"".join(cvat_pieces(a_video()))}


def labelme() -> dict[str, bytes]:
    """Return labelme files, one for each frame: each object is a shape of the type "mask", as large as the frame."""

    def shape(label: str, group: int, mask: np.ndarray) -> dict[str, object]:
        text = base64.b64encode(png(mask.astype(np.uint8) * 255)).decode()
        corners = [[0, 0], [WIDTH, HEIGHT]]
        return {"label": label, "group_id": group, "shape_type": "mask", "points": corners, "mask": text}

    def file(labels: LabelMap) -> bytes:
        shapes = [shape(each.category, each.id, labels == each.id) for each in OBJECTS]
        return json.dumps({"shapes": shapes, "imageHeight": HEIGHT, "imageWidth": WIDTH}).encode()

    return {f"reef/{frame:05}.json": file(labels) for frame, labels in masks().items()}


def datumaro() -> dict[str, bytes]:
    names = ["fish", "object"]

    def row(each: AnnotatedObject, labels: LabelMap) -> dict[str, object]:
        kind = {"type": "mask", "label_id": names.index(each.category), "rle": encode_rle(labels == each.id)}
        return {**kind, "attributes": {"track_id": each.id}, "z_order": each.id}

    items = [
        {
            "id": f"reef/{frame:05}",
            "image": {"size": [HEIGHT, WIDTH]},
            "annotations": [row(each, labels) for each in reversed(OBJECTS)],
        }
        for frame, labels in masks().items()
    ]
    categories_ = {"label": {"labels": [{"name": name} for name in names]}}
    return {"default.json": json.dumps({"categories": categories_, "items": items}).encode()}


def brush(mask: np.ndarray) -> list[int]:
    """Encode a mask as Label Studio does: the bytes of an RGBA image as runs, each a value that repeats."""
    values = np.repeat(mask.ravel()[:, None] * np.uint8(255), 4, axis=1).ravel()
    edges = np.flatnonzero(np.diff(values)) + 1
    runs = [(int(run[0]), len(run)) for run in np.split(values, edges)]
    bits = f"{values.size:032b}" + f"{7:05b}" + "".join(f"{size - 1:04b}" for size in (4, 8, 12, 16))
    for value, length in runs:
        bits += f"1{3:02b}{length - 1:016b}{value:08b}"
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def label_studio() -> dict[str, bytes]:
    def result(label: str, mask: np.ndarray) -> dict[str, object]:
        value = {"format": "rle", "rle": brush(mask), "brushlabels": [label]}
        return {"type": "brushlabels", "original_width": WIDTH, "original_height": HEIGHT, "value": value}

    tasks = [
        {
            "data": {"image": f"/data/upload/reef/{frame:05}.png?d=1"},
            "annotations": [{"result": [result(each.category, labels == each.id) for each in OBJECTS]}],
        }
        for frame, labels in masks().items()
    ]
    return {"project-1.json": json.dumps(tasks).encode()}


def cityscapes() -> dict[str, bytes]:
    def values(labels: LabelMap) -> np.ndarray:
        table = np.full(256, 7, np.uint16)  # 7 is road, which has no instances.
        table[[1, 2, 254]] = [26001, 24002, 26254]
        return table[labels]

    return {f"gtFine/x/reef_1_{frame:06}_gtFine_instanceIds.png": png(values(m)) for frame, m in masks().items()}


ALL: dict[str, Callable[[], dict[str, bytes]]] = {
    "davis": davis,
    "youtube-vos": youtube_vos,
    "objects": each_object,
    "npz": npz,
    "mots-png": mots_pngs,
    "mots-text": mots_text,
    "coco": coco,
    "youtube-vis": youtube_vis,
    "cvat": cvat,
}
BY_POSITION = {"labelme": labelme, "datumaro": datumaro, "label-studio": label_studio, "cityscapes": cityscapes}
EVERY = {**ALL, **BY_POSITION}
NAMED = {"davis", "objects", "npz", "youtube-vis"}  # These hold the names of objects.
WITH_TABLE = {"davis", "objects", "npz"}  # These hold colours and absent spans, too.


def the_video(content: dict[str, bytes]) -> AnnotatedVideo:
    (video,) = read_annotations(Files(content)).videos
    return video


@pytest.mark.parametrize("name", ALL)
def test_every_format_is_recognised_and_its_masks_are_read_exactly(name: str) -> None:
    video = the_video(ALL[name]())
    assert (video.width, video.height) == (WIDTH, HEIGHT)
    assert video.name in ("reef", "")
    read = {int(frame): labels for frame, labels in zip(video.frames, video.masks(), strict=True)}
    for frame, labels in masks().items():
        np.testing.assert_array_equal(as_shown(read.get(frame)), labels)
    assert [(each.id, each.category) for each in video.objects] == [(each.id, each.category) for each in OBJECTS]
    assert [each.name for each in video.objects] == ([each.name for each in OBJECTS] if name in NAMED else [""] * 3)
    assert all(each.absent == (((1, 2),) if name in WITH_TABLE else ()) for each in video.objects)


def test_each_split_of_youtube_vos_has_the_labels_of_its_own_videos() -> None:
    content: dict[str, bytes] = {}
    for split, video, category in (("train", "reef", "fish"), ("valid", "road", "car")):
        content[f"{split}/Annotations/{video}/00000.png"] = encode_labels(np.ones((2, 3), np.uint8))
        rows = {"1": {"category": category, "frames": ["00000"]}}
        content[f"{split}/meta.json"] = json.dumps({"videos": {video: {"objects": rows}}}).encode()
    videos = read_annotations(Files(content)).videos
    assert {each.name: [row.label for row in each.objects] for each in videos} == {"reef": ["fish"], "road": ["car"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train/Annotations/a", "valid/Annotations/a"),
        ("train/SegmentationObject", "valid/train/SegmentationObject"),
        ("x/SegmentationClass/a", "y/SegmentationClass/a"),
        ("Annotations/a", "Annotations/A"),
        ("Train/Annotations/480p/a", "train/Annotations/480p/a"),
    ],
)
def test_masks_of_two_sequences_of_one_name_are_refused_with_both_folders(one: str, other: str) -> None:
    mask = encode_labels(np.ones((2, 3), np.uint8))
    with pytest.raises(AnnotationError, match=" have masks of sequences of the same name") as refused:
        read_annotations(Files({f"{one}/00000.png": mask, f"{other}/00000.png": mask}))
    assert one in str(refused.value)
    assert other in str(refused.value)


@pytest.mark.parametrize("part", ["Annotations", "SegmentationObject", "SegmentationClass"])
def test_of_masks_at_two_resolutions_those_at_480p_are_read(part: str) -> None:
    small, large = encode_labels(np.ones((2, 3), np.uint8)), encode_labels(np.ones((4, 6), np.uint8))
    files = Files({f"{part}/480p/a/00000.png": small, f"{part}/720p/a/00000.png": large})
    (video,) = read_annotations(files).videos
    assert (video.name, video.width, video.height) == ("a", 3, 2)


@pytest.mark.parametrize("path", ["instances/a/{}.png", "gtFine/a_000000_00000{}_gtFine_instanceIds.png"])
def test_mots_pngs_of_one_video_that_differ_in_size_are_refused(path: str) -> None:
    content = {path.format(at): png(np.full((2, at + 2), 26001, np.uint16)) for at in (1, 2)}
    with pytest.raises(AnnotationError, match=r"2.*: it has 4 x 2 pixels, the first file of its video 3 x 2"):
        read_annotations(Files(content))


@pytest.mark.parametrize("name", BY_POSITION)
def test_files_of_images_are_read_exactly_and_their_objects_are_numbered(name: str) -> None:
    found = read_annotations(Files(BY_POSITION[name]()))
    (video,) = found.videos
    assert found.format == name
    ids = sorted(each.id for each in video.objects)
    assert ids == ([1, 2, 3] if name == "label-studio" else [1, 2, 254])
    table = np.zeros(256, np.uint8)
    table[[1, 2, 254]] = ids
    read = {int(re.findall(r"[0-9]+", frame)[-1]): m for frame, m in zip(video.frames, video.masks(), strict=True)}
    for frame, labels in masks().items():
        np.testing.assert_array_equal(read[frame], table[labels])
    fish, second = ("car", "person") if name == "cityscapes" else ("fish", "object")
    assert [each.label for each in video.objects] == [fish, second, fish]


@pytest.mark.parametrize("name", EVERY)
def test_no_damage_is_more_than_refused(name: str) -> None:
    """Bytes of a file are changed, cut off or repeated. Reading it then returns videos or raises AnnotationError."""
    whole, chance = EVERY[name](), random.Random(name)
    refused = 0
    for _ in range(60):
        content = dict(whole)
        file = chance.choice(list(content))
        data = bytearray(content[file])
        at = chance.randrange(len(data))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        content[file] = bytes(chance.choice([data, data[:at], data + data[at:], data[at:]]))
        try:
            for video in read_annotations(Files(content)).videos:
                for labels in video.masks():
                    assert labels is None or labels.dtype == np.uint8
        except AnnotationError:
            refused += 1
    assert refused > 5


def test_images_of_coco_without_tracks_are_put_together_by_category_and_position() -> None:
    data = json.loads(b"".join(coco_pieces([a_video()])))
    for annotation in data["annotations"]:
        del annotation["track_id"]
    video = the_video({"x.json": json.dumps(data).encode()})
    assert sorted((each.id, each.label) for each in video.objects) == [(1, "fish"), (2, "fish"), (3, "object")]


FOLDERS = ("bus", "train/car", "val/car")
SIZE = {"width": 12, "height": 8}
POLYGON = {"type": "polygonlabels", "original_width": 12, "original_height": 8}
POINTS = {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["a"]}
OF_FOLDERS: dict[str, dict[str, Any]] = {
    "coco": {"a.json": {
        "images": [{"id": at, "file_name": f"{folder}/0.jpg", **SIZE} for at, folder in enumerate(FOLDERS)],
        "annotations": [], "categories": [],
    }},
    "labelme": {f"{folder}/0.json": {"shapes": [], "imageWidth": 12, "imageHeight": 8} for folder in FOLDERS},
    "datumaro": {"a.json": {
        "items": [{"id": f"{folder}/0", "image": {"size": [8, 12]}, "annotations": []} for folder in FOLDERS],
        "categories": {"label": {"labels": []}},
    }},
    "label-studio": {"a.json": [
        {"data": {"image": f"/data/{folder}/0.jpg"}, "annotations": [{"result": [{**POLYGON, "value": POINTS}]}]}
        for folder in FOLDERS
    ]},
}  # fmt: skip


@pytest.mark.parametrize("name", OF_FOLDERS)
def test_two_folders_of_one_name_are_two_videos(name: str) -> None:
    content = {file: json.dumps(data).encode() for file, data in OF_FOLDERS[name].items()}
    videos = read_annotations(Files(content)).videos
    above = "data/" if name == "label-studio" else ""
    assert [video.name for video in videos] == ["bus", f"{above}train/car", f"{above}val/car"]
    assert [len(video.frames) for video in videos] == [1, 1, 1]


def test_an_absolute_folder_and_a_relative_one_are_two_videos() -> None:
    images = [{"id": at, "file_name": f"{folder}/0.jpg", **SIZE} for at, folder in enumerate(("/car", "car", "/bus"))]
    data = {"images": images, "annotations": [], "categories": []}
    videos = read_annotations(Files({"a.json": json.dumps(data).encode()})).videos
    assert [video.name for video in videos] == ["/car", "car", "bus"]


def test_the_task_of_a_cvat_file_and_a_folder_of_the_same_name_are_two_videos() -> None:
    images = "".join(f'<image name="{name}" width="12" height="8"/>' for name in ("car/0.jpg", "0.jpg"))
    data = f"<annotations><meta><task><name>car</name></task></meta>{images}</annotations>"
    videos = read_annotations(Files({"a.xml": data.encode()})).videos
    assert [video.name for video in videos] == ["car", "./car"]


def test_a_cvat_file_for_images_has_polygons_and_groups() -> None:
    shape = '<polygon label="car" group_id="{}" points="1,1;9,1;9,6;1,6" z_order="{}"/>'
    images = "".join(
        f'<image id="{at}" name="road/{at}.jpg" width="12" height="8">{shape.format(7, 1)}{shape.format(5, 0)}</image>'
        for at in range(2)
    )
    video = the_video({"a.xml": f"<annotations>{images}</annotations>".encode()})
    assert (video.name, video.frames, [each.label for each in video.objects]) == ("road", ("0", "1"), ["car", "car"])
    read = list(video.masks())
    assert len(read) == 2
    for labels in read:
        assert labels is not None
        assert labels[3, 5] == 7, "the shape with the higher z_order lies above"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"readme.txt": b"hello"}, "no masks inside"),
        ({"a.json": b"{}"}, "no masks inside"),
        ({"a/x.npy": npy(np.zeros((2, 2, 2)))}, r"a/x.npy: expected a label map"),
        (
            {"a/x.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<u1', 'fortran_order': False, 'shape': (99999, 99999), }"},
            "x.n",
        ),
        ({"instances/a/1.png": png(np.full((2, 2), 70000 % 65536, np.uint16)), "x/y.png": b""}, ""),
        ({"1-a/0.png": png(np.ones((2, 2), np.uint8)), "001-b/0.png": png(np.ones((2, 2), np.uint8))}, "of its own"),
        ({"Annotations/a/0.png": b"x"}, "Annotations/a/0.png"),
        (
            {"Annotations/a/0.png": davis()["Annotations/480p/reef/00000.png"], "objects.json": b'{"objects": [1]}'},
            "id",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_file_and_the_place(content: dict[str, bytes], text: str) -> None:
    if text:
        with pytest.raises(AnnotationError, match=text):
            read_annotations(Files(content))
    else:
        assert read_annotations(Files(content)).videos
