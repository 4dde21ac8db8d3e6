"""The mask store: which masks each round stored, and which mask a frame has when the video stands at a given round.

That round is called the head. The mask of a frame is the accepted one if a person accepted it. Otherwise it is from the
newest round that stored a mask for the frame, among the head and the rounds that the head builds on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef

from webapp.annotation.codec import LabelMap, PackedMask, decode, pack
from webapp.annotation.models import AcceptedFrame, Mask, Round
from webapp.prepared import Query

CHUNK = 200  # The number of masks that are read at once: some hundred kB, however long the video is.
_BASES = Query(
    lambda round_id: Round.objects.filter(
        video_id__in=Round.objects.values("video_id").filter(pk=round_id)
    ).values_list("pk", "base_id"),
    round_id=int,
)
_FRAMES = Query(
    lambda round_id: Mask.objects.filter(round_id=round_id).order_by("frame").values_list("frame", flat=True),
    round_id=int,
)


@dataclass(frozen=True)
class StoredMask:
    """The mask of a frame: the round that stored it, and its bytes as codec.py encodes them."""

    frame: int
    mask_id: int
    round_id: int
    data: bytes

    @property
    def labels(self) -> LabelMap:
        return decode(self.data)


def line_of(round_id: int | None) -> list[int]:
    """Return the line of a round: the ids of all rounds that it builds on and its own, oldest first.

    For None, which stands for the state before the first round, the line is empty.
    """
    if round_id is None:
        return []
    bases = dict(_BASES.rows(round_id=round_id))
    line = []
    at: int | None = round_id
    while at is not None:
        line.append(at)
        at = bases[at]
    return line[::-1]


def effective(video_id: int, head: int | None, first: int = 0, last: int | None = None) -> dict[int, int]:
    """Return {frame: Mask.id} for each frame from `first` to `last` (inclusive) that has a mask, in ascending order.

    `head` is the id of the round that is taken as the head; None: the state before the first round.
    """
    frames = {"frame__gte": first} if last is None else {"frame__gte": first, "frame__lte": last}
    # A round is created after its base, so the newest round of a line is the one with the highest id.
    newest = Mask.objects.filter(round_id__in=line_of(head), **frames).values("frame").annotate(newest=Max("round_id"))
    wanted = dict(newest.values_list("frame", "newest"))
    rows = Mask.objects.filter(round_id__in=set(wanted.values()), **frames).values_list("frame", "round_id", "pk")
    found = {frame: pk for frame, round_id, pk in rows if wanted[frame] == round_id}
    found.update(AcceptedFrame.objects.filter(video_id=video_id, **frames).values_list("frame", "mask_id"))
    return dict(sorted(found.items()))


def with_masks(heads: Mapping[int, int]) -> set[int]:
    """Return the ids of those videos that have a mask. `heads` maps the id of each video to the id of its head."""
    accepted = AcceptedFrame.objects.filter(video_id__in=heads).values_list("video_id", flat=True).distinct()
    stored = Exists(Mask.objects.filter(round_id=OuterRef("pk")))
    rows = Round.objects.filter(video_id__in=heads).annotate(stored=stored).values_list("pk", "base_id", "stored")
    rounds = {pk: (base, has_masks) for pk, base, has_masks in rows}
    found = set(accepted)
    for video_id, head in heads.items():
        at: int | None = head
        while at is not None and video_id not in found:
            at, has_masks = rounds[at]
            if has_masks:
                found.add(video_id)
    return found


def masks_of(video_id: int, head: int | None, first: int = 0, last: int | None = None) -> Iterator[StoredMask]:
    """Yield the masks that a video has at the round with id `head`, in the order of frames.

    They are read in chunks, so a long video needs little memory.
    """
    ids = list(effective(video_id, head, first, last).values())
    for start in range(0, len(ids), CHUNK):
        wanted = ids[start : start + CHUNK]
        rows = Mask.objects.filter(pk__in=wanted).values_list("frame", "pk", "round_id", "data").order_by("frame")
        for frame, pk, round_id, data in rows:
            yield StoredMask(frame, pk, round_id, bytes(data))


def mask_at(video_id: int, head: int | None, frame: int) -> StoredMask | None:
    """Return the mask that `frame` has at the round with id `head` (None: before the first round);
    None if it has none.
    """
    return next(masks_of(video_id, head, frame, frame), None)


def container(round_id: int, first: int, last: int) -> bytes:
    """Pack the masks that a round itself stored for the frames from `first` to `last` (inclusive) into a container."""
    return pack(packed(Mask.objects.filter(round_id=round_id, frame__gte=first, frame__lte=last).order_by("frame")))


def packed(masks: Iterable[Mask]) -> list[PackedMask]:
    return [PackedMask(mask.pk, mask.round_id, mask.frame, mask.confidence, bytes(mask.data)) for mask in masks]


def ranges_of(round_id: int) -> list[tuple[int, int]]:
    """Return the frames for which a round stored a mask, as spans."""
    return ranges(_FRAMES.rows(round_id=round_id))


def ranges(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Group ascending frames into inclusive ranges: 1, 2, 3, 7 gives (1, 3), (7, 7)."""
    found: list[tuple[int, int]] = []
    for frame in frames:
        if found and frame == found[-1][1] + 1:
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return found
