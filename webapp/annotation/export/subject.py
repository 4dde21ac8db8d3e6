"""What an export contains of one video: its masks at one round, the list of its objects, and its frames."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from webapp.annotation.absence import absent_spans, without_absent
from webapp.annotation.accepted import accepted_frames
from webapp.annotation.codec import LabelMap
from webapp.annotation.export.options import Names, Options
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Object
from webapp.prepared import Query
from webapp.storage.files import storage
from webapp.videos.frame_writer import JPEG_QUALITY
from webapp.videos.models import Video
from webapp.videos.source_table import SourceTable, read_source_table
from webapp.videos.storage import RgbFrame, StoredFrames, VideoFiles

_OBJECTS = Query(
    lambda video_id: Object.objects.filter(video_id=video_id, deleted_at=None).select_related("label"), video_id=int
)
Tick = Callable[[int], None]  # It is called with the number of frames done, and raises an exception to stop the export.


class Counter:
    """Counts the frames of an export that are done. Each call counts one more and calls `tick` with the number."""

    def __init__(self, tick: Tick) -> None:
        self._tick, self.done = tick, 0

    def __call__(self) -> None:
        self.done += 1
        self._tick(self.done)

    def again(self) -> None:
        """Call `tick` with the number so far, after a step of work by which the number does not grow."""
        self._tick(self.done)


@dataclass(frozen=True)
class Subject:
    """One video of an export, with the round at which its masks are exported. Deleted objects are left out.

    `folder` is the name of the video's folder in the export file. No other video of the same export has it. `split` is
    the split that the video belongs to, such as train or val, or "" if the export has none.
    """

    video: Video
    round_id: int
    folder: str
    options: Options = field(default_factory=Options)
    split: str = ""

    @cached_property
    def objects(self) -> list[Object]:
        numbers, labels = self.options.objects, self.options.labels
        return [
            each
            for each in _OBJECTS.rows(video_id=self.video.pk)
            if (numbers is None or each.number in numbers)
            and (labels is None or (each.label.name if each.label else "") in labels)
        ]

    @cached_property
    def indexes(self) -> list[int]:
        """The frames of the video that the export has, in ascending order."""
        found = range(self.video.frame_count)
        accepted = accepted_frames(self.video.pk) if self.options.accepted_only else None
        return [
            index
            for index in found
            if (accepted is None or index in accepted) and self.options.has_frame(self.video.pk, index)
        ]

    @property
    def height(self) -> int:
        return self.video.height

    @property
    def width(self) -> int:
        """The width of exported frames and masks. With the shape "display", players show the video at this width."""
        stretched = self.options.shape == "display"
        return max(1, round(self.video.width * self.video.pixel_aspect)) if stretched else self.video.width

    def names(self, usual: Names, digits: int = 5) -> list[str]:
        """Return the names of the exported frames, without a suffix.

        They are those of the source files (such as IMG_0005 for IMG_0005.jpg) if the options or, without a choice,
        `usual` say so. Without a choice, they are also those of the source files if a number would be the name of
        another frame's source file, because a reader of the export would confuse the two frames. Otherwise, or if a
        frame has no source file or two have the same name, they are numbers with `digits` digits: 00000, 00001, ...
        """
        numbers = [f"{index:0{digits}}" for index in self.indexes]
        chosen = self.options.names
        stems = None if chosen == "number" else source_table(self.video).stems()
        if stems is None:
            return numbers
        frame_of = {stem.casefold(): frame for frame, stem in enumerate(stems)}
        misleading = any(frame_of.get(name, index) != index for index, name in zip(self.indexes, numbers, strict=True))
        if (chosen or usual) == "source" or misleading:
            return [stems[index] for index in self.indexes]
        return numbers

    def frames(self) -> Iterator[tuple[int, LabelMap | None]]:
        """Yield the index of every exported frame with its mask, uint8 [H, W], or None if it has no mask at this
        round.
        """
        import cv2  # the web process imports this module

        kept = np.zeros(256, np.uint8)
        for object_ in self.objects:
            kept[object_.number] = object_.number
        absent = absent_spans(self.video.pk)
        masks = masks_of(self.video.pk, self.round_id)
        mask = next(masks, None)
        for index in self.indexes:
            while mask is not None and mask.frame < index:
                mask = next(masks, None)
            if mask is None or mask.frame != index:
                yield index, None
            else:
                yield (
                    index,
                    self._shaped(without_absent(np.asarray(cv2.LUT(mask.labels, kept), np.uint8), index, absent)),
                )

    def _shaped(self, labels: LabelMap) -> LabelMap:
        if labels.shape == (self.height, self.width):
            return labels
        return np.asarray(Image.fromarray(labels).resize((self.width, self.height), Image.Resampling.NEAREST))

    def picture(self, index: int) -> RgbFrame:
        """Return a frame, uint8 RGB [H, W, 3], in the shape of the export."""
        stored = StoredFrames(self.video)[index]
        if self.width == self.video.width:
            return stored
        return np.asarray(Image.fromarray(stored).resize((self.width, self.height), Image.Resampling.BICUBIC))

    def write_frame(self, archive: zipfile.ZipFile, index: int, path: str) -> None:
        """Write a frame as a JPEG file into a zip. Unless it is stretched, it is the stored file."""
        if self.width == self.video.width:
            with storage().open_cached(VideoFiles(self.video.pk).frame(index)) as file:
                archive.writestr(path, file.read())
            return
        buffer = io.BytesIO()
        Image.fromarray(self.picture(index)).save(buffer, "JPEG", quality=JPEG_QUALITY)
        archive.writestr(path, buffer.getvalue())


def annotated(subject: Subject, usual: Names = "source", digits: int = 5) -> AnnotatedVideo:
    """Return a video in the form that the writers of annotation formats take.

    `usual` and `digits` are as in `Subject.names`.
    """
    objects = [
        AnnotatedObject(each.number, each.name, each.label.name if each.label else "", each.color)
        for each in subject.objects
    ]

    def masks() -> Iterator[LabelMap | None]:
        return (labels for _, labels in subject.frames())

    return AnnotatedVideo(
        name=subject.folder,
        width=subject.width,
        height=subject.height,
        fps=subject.video.fps,
        frames=tuple(subject.names(usual, digits)),
        objects=tuple(objects),
        masks=masks,
        indexes=tuple(subject.indexes),
    )


def by_split(subjects: Sequence[Subject], videos: Sequence[AnnotatedVideo]) -> dict[str, list[AnnotatedVideo]]:
    """Return the videos by the split of their `subjects`, which are in the order of `videos`; "" means no split."""
    found: dict[str, list[AnnotatedVideo]] = {}
    for subject, video in zip(subjects, videos, strict=True):
        found.setdefault(subject.split, []).append(video)
    return found


def source_table(video: Video) -> SourceTable:
    return read_source_table(video.pk, video.frame_count)


def object_table(subject: Subject) -> str:
    rows = [
        {
            "id": object_.number,
            "name": object_.name,
            "color": object_.color,
            "label": object_.label.name if object_.label else None,
            "absent": object_.absent,
        }
        for object_ in subject.objects
    ]
    video = subject.video
    aspect = 1.0 if subject.options.shape == "display" else video.pixel_aspect
    table: dict[str, object] = {"video": video.name, "fps": video.fps, "pixel_aspect": aspect}
    table["objects"] = rows
    source = source_table(video)
    if any(source.names):
        table["source_frames"] = source.names
    return json.dumps(table, indent=1)
