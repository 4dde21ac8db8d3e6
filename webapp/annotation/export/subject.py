"""What an export contains: a video's masks at one round, and the table of its objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from webapp.annotation.codec import LabelMap
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Object
from webapp.videos.models import Video

Tick = Callable[[int], None]  # called with the number of frames done; may raise to stop


@dataclass(frozen=True)
class Subject:
    """What is exported: the masks that a video has at one round, without objects that were deleted."""

    video: Video
    round_id: int

    @property
    def objects(self) -> list[Object]:
        return list(Object.objects.filter(video=self.video, deleted_at=None).select_related("label"))

    def frames(self) -> Iterator[tuple[int, LabelMap | None]]:
        """Every frame with its mask, uint8 [H, W], or None where the round's line has none."""
        kept = np.zeros(256, np.uint8)
        for one in self.objects:
            kept[one.number] = one.number
        masks = masks_of(self.video.pk, self.round_id)
        mask = next(masks, None)
        for index in range(self.video.frame_count):
            if mask is None or mask.frame != index:
                yield index, None
                continue
            yield index, kept[mask.labels]
            mask = next(masks, None)


def object_table(subject: Subject) -> str:
    rows = [
        {"id": one.number, "name": one.name, "color": one.color, "label": one.label.name if one.label else None}
        for one in subject.objects
    ]
    return json.dumps({"video": subject.video.name, "fps": subject.video.fps, "objects": rows}, indent=1)
