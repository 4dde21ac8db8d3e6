"""What an export contains: a video's masks at one round, and the table of its objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from webapp.annotation.absence import absent_spans, without_absent
from webapp.annotation.codec import LabelMap
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Object
from webapp.videos.models import Video

Tick = Callable[[int], None]  # It is called with the number of frames done, and raises an exception to stop the export.


@dataclass(frozen=True)
class Subject:
    """What is exported: the masks that a video has at one round, without deleted objects."""

    video: Video
    round_id: int

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
    return json.dumps({"video": subject.video.name, "fps": subject.video.fps, "objects": rows}, indent=1)
