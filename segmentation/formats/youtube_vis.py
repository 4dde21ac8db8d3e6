"""Reads and writes masks in the JSON of YouTube-VIS: one annotation an object, with run lengths for each frame."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    categories,
    check_frame_size,
    check_object_count,
)
from segmentation.formats.coco_rle import decode_segmentation
from segmentation.formats.instances_json import (
    annotation_fields,
    annotations_by,
    category_names,
    compact_json,
    instances_pieces,
)
from segmentation.formats.json_file import AnnotationError, at_place, field
from segmentation.formats.label_png import MaskError
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.types import MAX_OBJECTS, LabelMap

MOST_FPS = 1000  # highest frame rate that is read


def youtube_vis_pieces(
    videos: list[AnnotatedVideo], tick: Any = lambda: None, numbers: dict[str, int] | None = None
) -> Iterator[bytes]:
    """Yield the bytes of a YouTube-VIS file with all masks of `videos`, piece by piece.

    Not more than the annotations of one video are in memory. `tick` is called after each frame.

    `numbers` are the ids of the categories by name, which several files can share; None: 1, 2, ... by name.

    In frames that do not show an object, or have no mask, the object's run lengths are null.
    """
    numbers = categories(videos) if numbers is None else numbers
    owners = (_video(video_id, video) for video_id, video in enumerate(videos, 1))
    return instances_pieces(numbers, "videos", owners, _written(videos, tick, numbers))


def _written(videos: list[AnnotatedVideo], tick: Any, numbers: dict[str, int]) -> Iterator[bytes]:
    """Yield the JSON of the annotations of all videos, one for each object of a video."""
    ids = count(1)
    for video_id, video in enumerate(videos, 1):
        tracks = {each.id: _Track(len(video.frames)) for each in video.objects}
        for at, labels in enumerate(video.masks()):
            for mask in object_masks(video, labels):
                tracks[mask.object.id].add(at, mask)
            tick()
        for each in video.objects:
            fields = annotation_fields(
                next(ids),
                numbers[each.category],
                video_id=video_id,
                instance_id=each.id,
                name=each.name,
                width=video.width,
                height=video.height,
                length=len(video.frames),
            )
            yield tracks.pop(each.id).json(fields)


class _Track:
    """The masks of an object in the frames of its video, as JSON."""

    def __init__(self, frame_count: int) -> None:
        self._segmentations = [b"null"] * frame_count
        self._areas: list[int | None] = [None] * frame_count
        self._boxes: list[list[int] | None] = [None] * frame_count

    def add(self, at: int, mask: ObjectMask) -> None:
        self._segmentations[at] = compact_json(mask.rle)
        self._areas[at], self._boxes[at] = mask.area, list(mask.box)

    def json(self, fields: dict[str, Any]) -> bytes:
        """Return the annotation of the object as JSON: its masks, areas and boxes, and the given `fields`."""
        inside = b",".join(self._segmentations)
        rest = compact_json({"areas": self._areas, "bboxes": self._boxes})
        return compact_json(fields)[:-1] + b',"segmentations":[' + inside + b"]," + rest[1:]


def read_youtube_vis(data: dict[str, Any]) -> list[AnnotatedVideo]:
    """Read the content of a YouTube-VIS file.

    The id of an object is its `instance_id`, which `youtube_vis_pieces` writes. If that cannot be an id, or an earlier
    object has it, the id is the object's position (1, 2, ...) among the annotations of the video, or the lowest free
    one if another object has that. Where two objects overlap, the pixels belong to that of the later annotation. Masks
    are decoded by `AnnotatedVideo.masks`.

    Raises:
        AnnotationError: the file is damaged, or a video has too many objects. Reading the masks also raises it, if
            their run lengths are damaged.
    """
    names, tracks = category_names(data), annotations_by(data, "video_id")
    return [
        _read_video(video, f"videos[{at}]", tracks.get(field(video, "id", int, f"videos[{at}]"), []), names)
        for at, video in enumerate(field(data, "videos", list, "file"))
    ]


def _video(video_id: int, video: AnnotatedVideo) -> dict[str, Any]:
    return {
        "id": video_id,
        "width": video.width,
        "height": video.height,
        "length": len(video.frames),
        "file_names": [f"{video.name}/{frame}.jpg" for frame in video.frames],
    }


def _read_video(
    video: Any, place: str, tracks: list[tuple[str, dict[str, Any]]], names: dict[int, str]
) -> AnnotatedVideo:
    files = field(video, "file_names", list, place)
    width, height = field(video, "width", int, place), field(video, "height", int, place)
    if not all(isinstance(file, str) for file in files):
        raise AnnotationError(f"{place}.file_names: expected a list of texts")
    check_frame_size(width, height, place)
    check_object_count(len(tracks), place)
    objects: list[AnnotatedObject] = []
    ids = _object_ids([track.get("instance_id") for _, track in tracks])
    for number, (where, track) in zip(ids, tracks, strict=True):
        category = names.get(field(track, "category_id", int, where), "")
        if len(field(track, "segmentations", list, where)) != len(files):
            raise AnnotationError(f"{where}: it has not as many segmentations as the video of {place} has frames")
        objects.append(AnnotatedObject(number, str(track.get("name") or ""), category))
    stems = tuple(file.rsplit("/", 1)[-1].rsplit(".", 1)[0] for file in files)
    name = files[0].rsplit("/", 1)[0] if files and "/" in files[0] else f"video-{video['id']}"

    def masks() -> Iterator[LabelMap | None]:
        for frame in range(len(files)):
            labels = blank_mask(width, height)
            for each, (_, track) in zip(objects, tracks, strict=True):
                segmentation = track["segmentations"][frame]
                if segmentation is not None:
                    where = f"{place}, object {each.id}, frame {frame}"
                    inside = at_place(where, lambda s=segmentation: decode_segmentation(s, height, width), MaskError)  # type: ignore[misc]
                    labels[inside] = each.id
            yield labels

    return AnnotatedVideo(name, width, height, _fps(video.get("fps")), stems, tuple(objects), masks)


def _object_ids(given: list[Any]) -> list[int]:
    """Return the ids of objects, all different, from the values that the file gives for them."""
    first: dict[int, int] = {}  # the position of the object by its id
    for at, value in enumerate(given, 1):
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_OBJECTS:
            first.setdefault(value, at)
    by_position = {at: number for number, at in first.items()}
    used = set(first)
    for at in range(1, len(given) + 1):
        if at not in by_position:
            by_position[at] = at if at not in used else next(number for number in count(1) if number not in used)
            used.add(by_position[at])
    return [by_position[at] for at in range(1, len(given) + 1)]


def _fps(value: Any) -> float:
    """Return the frame rate, or 24 if the file has none that a video can have."""
    return float(value) if isinstance(value, int | float) and 0 < value <= MOST_FPS else 24.0
