"""The line of a round in short: what a page must know of its versions before it loads them one by one.

A video may have thousands of versions. A page loads the newest ones; for the others it gets one LineInfo, whose size
depends on the frames and objects of the video, and on the number of places where versions were undone.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from webapp.annotation.masks import line_of, ranges
from webapp.annotation.models import Mask, Origin, Round, Scribble
from webapp.annotation.rounds import ACTIVE
from webapp.annotation.schemas import FrameScribbles, LineInfo, RoundScribble
from webapp.annotation.scribbles import for_round
from webapp.videos.models import Video

Span = tuple[int, int]
_COLUMNS = ("pk", "base_id", "state", "origin", "author_id", "frame")
_JSON = ("started_from", "objects_changed", "frames")


@dataclass(frozen=True)
class _Version:
    """The columns of a round that its line needs. JSON is read only where it is used, as most of it is not."""

    pk: int
    base: int | None
    state: str
    origin: str
    author: int
    frame: int
    started_from: str
    objects: str | None
    frames: str

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class Versions:
    """All versions of a video, in the order of their ids.

    Reading them takes two queries, however many there are, and time that grows with their number.
    """

    def __init__(self, video: Video) -> None:
        self._video = video
        texts = {f"{name}_text": Cast(name, TextField()) for name in _JSON}
        rows = Round.objects.filter(video=video).order_by("pk").annotate(**texts).values_list(*_COLUMNS, *texts)
        self._by_id = {row[0]: _Version(*row) for row in rows.iterator()}
        self._ids = list(self._by_id)
        self._stored = self._frames_of_active()

    def line(self, tip: int | None) -> list[int]:
        """Return the ids of the versions on the line of `tip`, newest first."""
        line = []
        while tip is not None:
            line.append(tip)
            tip = self._by_id[tip].base
        return line

    def count(self, before: int) -> int:
        """Return how many versions have a lower id than `before`."""
        return bisect_left(self._ids, before)

    def info(self, tip: int | None) -> LineInfo:
        line = self.line(tip)
        scribbled = self._scribbled(line)
        painted: defaultdict[int, set[int]] = defaultdict(set)
        drawn = {frame for frames in scribbled.values() for frame in frames}
        for version in (self._by_id[pk] for pk in line):
            if version.origin == Origin.PAINTED:
                for number in json.loads(version.objects or "[]"):
                    painted[number].add(version.frame)
            elif version.origin == Origin.ROUND:
                drawn.add(version.frame)
                if version.started_from != "[]":
                    drawn.update(json.loads(version.started_from))
        return LineInfo(
            round=tip,
            rounds=self._as_ranges(line),
            ahead=self._as_ranges(self._ahead(tip)),
            masks=self._masks(line),
            drawn=ranges(sorted(drawn)),
            scribbled=_spans(scribbled),
            painted=_spans(painted),
            painted_since=_spans(self._painted_since(line)),
        )

    def _frames_of_active(self) -> dict[int, list[int]]:
        """Return the frames for which rounds that have not ended stored masks; others have them in their row."""
        active = [version.pk for version in self._by_id.values() if version.active]
        found: defaultdict[int, list[int]] = defaultdict(list)
        for pk, frame in Mask.objects.filter(round_id__in=active).order_by("frame").values_list("round_id", "frame"):
            found[pk].append(frame)
        return found

    def _spans_of(self, version: _Version) -> list[Span]:
        return ranges(self._stored.get(version.pk, ())) if version.active else json.loads(version.frames)

    def _has_masks(self, version: _Version) -> bool:
        return version.pk in self._stored if version.active else version.frames != "[]"

    def _masks(self, line: Iterable[int]) -> list[tuple[int, int, int]]:
        """Return the round whose mask each frame has on a line, as spans (first, last, round)."""
        rounds = np.zeros(self._video.frame_count, np.int64)  # 0: no mask
        for pk in line:
            for first, last in self._spans_of(self._by_id[pk]):
                part = rounds[first : last + 1]
                part[part == 0] = pk
            if rounds.all():
                break
        starts = [0, *(np.flatnonzero(np.diff(rounds)) + 1).tolist(), len(rounds)]
        spans = ((first, after - 1, int(rounds[first])) for first, after in pairwise(starts) if first < after)
        return [span for span in spans if span[2]]

    def _scribbled(self, line: Collection[int]) -> dict[int, set[int]]:
        """Return the frames on which each object was drawn in rounds of a line, by object id."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        rows = _used(self._video.pk).filter(round_id__in=line).order_by()
        for number, frame in rows.values_list("object_id", "frame").distinct():
            found[number].add(frame)
        return found

    def _painted_since(self, line: Iterable[int]) -> dict[int, set[int]]:
        """Return the frames that were painted since the last round of an engine, by the id of the author."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        for version in (self._by_id[pk] for pk in line):
            if version.origin == Origin.ROUND:
                break
            if version.origin == Origin.PAINTED:
                found[version.author].add(version.frame)
        return found

    def _ahead(self, tip: int | None) -> list[int]:
        """Return the versions to which redo leads from `tip` on: always the newest one that has masks."""
        newest = {version.base: version.pk for version in self._by_id.values() if self._has_masks(version)}
        found = []
        while (following := newest.get(tip)) is not None:
            found.append(following)
            tip = following
        return found

    def _as_ranges(self, ids: Collection[int]) -> list[Span]:
        """Return ids of versions as inclusive ranges. Ids between them that belong to other videos end no range."""
        wanted = set(ids)
        places = (place for place, pk in enumerate(self._ids) if pk in wanted)
        return [(self._ids[first], self._ids[last]) for first, last in ranges(places)]


def scribbles_of_frame(video_id: int, tip: int | None, frame: int, before: int | None, limit: int) -> FrameScribbles:
    """Describe the scribbles of a frame that rounds on the line of `tip` used, newest first, with ids lower than
    `before`.
    """
    rows = _used(video_id).filter(frame=frame).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    line = set(line_of(tip))
    ids = [pk for pk, round_id in rows.values_list("pk", "round_id") if round_id in line][: limit + 1]
    found = Scribble.objects.filter(pk__in=ids[:limit]).order_by("-pk")
    return FrameScribbles(
        scribbles=[RoundScribble.model_validate(scribble) for scribble in for_round(found)],
        next=ids[limit - 1] if len(ids) > limit else None,
    )


def _used(video_id: int) -> QuerySet[Scribble]:
    """Return the scribbles of a video that rounds used. Painted versions only keep theirs from being used again."""
    return Scribble.objects.filter(video_id=video_id, round__origin=Origin.ROUND)


def _spans(frames: dict[int, set[int]]) -> dict[int, list[Span]]:
    return {number: ranges(sorted(found)) for number, found in sorted(frames.items())}
