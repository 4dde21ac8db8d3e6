"""What an export contains: a video's masks at one round, and the list of its objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from webapp.annotation.absence import absent_spans, without_absent
from webapp.annotation.codec import LabelMap
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Object
from webapp.videos.models import Video
from webapp.videos.source_table import SourceTable, read_source_table
from webapp.videos.storage import folder_of

Tick = Callable[[int], None]  # It is called with the number of frames done, and raises an exception to stop the export.


@dataclass(frozen=True)
class Subject:
    """One video of an export, with the round at which its masks are exported. Deleted objects are left out.

    `folder` is the name of the video's folder in the export file. No other video of the same export has it.
    """

    video: Video
    round_id: int
    folder: str

    @property
    def objects(self) -> list[Object]:
        return list(Object.objects.filter(video=self.video, deleted_at=None).select_related("label"))

    def frames(self) -> Iterator[tuple[int, LabelMap | None]]:
        """Yield the index of every frame with its mask, uint8 [H, W], or None if it has no mask at this round."""
        kept = np.zeros(256, np.uint8)
        for object_ in self.objects:
            kept[object_.number] = object_.number
        absent = absent_spans(self.video.pk)
        masks = masks_of(self.video.pk, self.round_id)
        mask = next(masks, None)
        for index in range(self.video.frame_count):
            if mask is None or mask.frame != index:
                yield index, None
                continue
            yield index, without_absent(kept[mask.labels], index, absent)
            mask = next(masks, None)


def annotated(subject: Subject) -> AnnotatedVideo:
    """Return a video in the form that the writers of annotation formats take.

    Frames are named after their source files (such as IMG_0005 for IMG_0005.jpg) if every frame has a source file and
    all the names differ. Otherwise they are named by their indices (00000, 00001, ...).
    """
    video = subject.video
    stems = source_table(video).stems()
    objects = [
        AnnotatedObject(each.number, each.name, each.label.name if each.label else "") for each in subject.objects
    ]

    def masks() -> Iterator[LabelMap | None]:
        return (labels for _, labels in subject.frames())

    return AnnotatedVideo(
        name=subject.folder,
        width=video.width,
        height=video.height,
        fps=video.fps,
        frames=tuple(stems or [f"{index:05}" for index in range(video.frame_count)]),
        objects=tuple(objects),
        masks=masks,
    )


def source_table(video: Video) -> SourceTable:
    return read_source_table(folder_of(video.pk), video.frame_count)


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
    table: dict[str, object] = {"video": video.name, "fps": video.fps, "pixel_aspect": video.pixel_aspect}
    table["objects"] = rows
    source = source_table(video)
    if any(source.names):
        table["source_frames"] = source.names
    return json.dumps(table, indent=1)
