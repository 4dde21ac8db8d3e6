"""Which frames of a video a person has looked at. The socket stores it every few seconds, from what the page shows."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from webapp.annotation.masks import ranges
from webapp.annotation.to_fix import frames_in
from webapp.jobs.models import Looked

# A page says at most every 300 ms which frame is in view. If it names two frames within PLAYING_SECONDS, those between
# them count as looked at, too, if a video that plays at FASTEST times its speed shows them in that time.
PLAYING_SECONDS = 1.0
FASTEST = 2.0


class Gaze:
    """Collects the frames that a page has in view until they are stored."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._last: tuple[int, float] | None = None
        self._frames: set[int] = set()

    def look(self, frame: int, now: float) -> None:
        """Note that `frame` is in view at the time `now`, in seconds."""
        self._frames.add(frame)
        if self._last is not None:
            before, then = self._last
            fits = FASTEST * self._fps * (now - then) + 1
            if now - then <= PLAYING_SECONDS and abs(frame - before) <= fits:
                self._frames.update(range(min(before, frame), max(before, frame)))
        self._last = (frame, now)

    def take(self) -> set[int]:
        """Return the frames that the person has looked at since the last call of `take`."""
        frames, self._frames = self._frames, set()
        return frames


@transaction.atomic
def add_looked(*, video_id: int, user_id: int, frames: Iterable[int]) -> None:
    """Add frames to those that a person has looked at."""
    row, _ = Looked.objects.select_for_update().get_or_create(video_id=video_id, user_id=user_id)
    row.spans = [list(span) for span in ranges(sorted(frames_in(row.spans) | set(frames)))]
    row.save(update_fields=["spans"])


def looked_at(video_id: int, user_id: int | None) -> set[int]:
    """Return the frames of a video that a person has looked at. There are none if `user_id` is None."""
    row = None if user_id is None else Looked.objects.filter(video_id=video_id, user_id=user_id).first()
    return set() if row is None else frames_in(row.spans)
