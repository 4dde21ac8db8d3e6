"""What earlier rounds left: the newest mask of every frame, the strokes, and which frames were annotated for what."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Mapping
from threading import Lock

import numpy as np

from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble

UNKNOWN_CONFIDENCE = 0.5  # confidence where nobody has looked yet


class MaskFile:
    """Label maps by frame, deflated into an unnamed file: 2 kB a frame at 480p, none of it in memory. Safe to share
    between threads."""

    def __init__(self, height: int, width: int, folder: str | None) -> None:
        self._shape = (height, width)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (lives as long as the session)
        self._end = 0
        self._places: dict[int, tuple[int, int]] = {}
        self._lock = Lock()

    def __contains__(self, frame: int) -> bool:
        return frame in self._places

    def __setitem__(self, frame: int, labels: LabelMap) -> None:
        data = zlib.compress(labels.tobytes(), 1)
        with self._lock:
            self._file.seek(self._end)
            self._file.write(data)
            self._places[frame] = (self._end, len(data))
            self._end += len(data)

    def __getitem__(self, frame: int) -> LabelMap:
        with self._lock:
            start, length = self._places[frame]
            self._file.seek(start)
            data = self._file.read(length)
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(self._shape)

    def discard(self, frame: int) -> None:
        self._places.pop(frame, None)

    def close(self) -> None:
        self._file.close()


class MaskHistory:
    """The state of a session between rounds. It follows from the stored rounds alone."""

    def __init__(self, height: int, width: int, folder: str | None) -> None:
        self._shape = (height, width)
        self._own = MaskFile(height, width, folder)
        self._stored: dict[
            int, Mapping[int, LabelMap]
        ] = {}  # masks of rounds from before this session, read when needed
        self._sure: dict[int, tuple[float, ...]] = {}  # frame -> newest confidence of each object
        self.scribbles: dict[int, list[Scribble]] = {}
        self.annotated: dict[int, set[int]] = {}  # object -> frames
        self._new: set[int] = set()  # objects for which the newest interaction annotated a frame that was not before

    def __contains__(self, frame: int) -> bool:
        return frame in self._own or frame in self._stored

    def mask(self, frame: int) -> LabelMap | None:
        """The newest mask of `frame`, or None."""
        if frame in self._own:
            return self._own[frame]
        stored = self._stored.get(frame)
        return None if stored is None else stored[frame]

    def fetch(self, frames: Iterable[int]) -> None:
        """Take over what is stored of some frames: who stores masks need not give them to more than one thread."""
        for frame in frames:
            if frame in self._stored and frame not in self._own:
                self._own[frame] = self._stored[frame][frame]

    def sure(self, frame: int, object_id: int) -> float:
        """How sure the round was that looked at this object here last; UNKNOWN where none has, or it did not say."""
        values = self._sure.get(frame, ())
        return values[object_id - 1] if object_id <= len(values) else UNKNOWN_CONFIDENCE

    def keep(self, update: MaskUpdate) -> None:
        self._own[update.frame] = update.labels
        self._sure[update.frame] = update.confidence

    def draw(self, interaction: Interaction) -> None:
        self.scribbles.setdefault(interaction.frame, []).extend(interaction.scribbles)

    def annotate(self, interaction: Interaction, labels: LabelMap | None) -> set[int]:
        """Note for which objects `interaction` annotates its frame; `labels` is its new mask there (None: locked).

        Those that were drawn and those whose mask changed there.
        """
        touched = {scribble.object_id for scribble in interaction.scribbles} - {0}
        if labels is not None:
            before = self.mask(interaction.frame)
            if before is not None:
                changed = labels != before
                touched |= {int(i) for i in np.union1d(labels[changed], before[changed])} - {0}
        self._new = {o for o in touched if interaction.frame not in self.annotated.get(o, ())}
        for object_id in touched:
            self.annotated.setdefault(object_id, set()).add(interaction.frame)
        return touched

    def undo_interaction(self, interaction: Interaction) -> None:
        """The newest interaction, noted and drawn, came to nothing: no mask was made."""
        frame = interaction.frame
        del self.scribbles[frame][-len(interaction.scribbles) :]
        for object_id in self._new:
            self.annotated[object_id].discard(frame)

    def restore(self, past: PastRound) -> None:
        self.draw(past.interaction)
        frame = past.interaction.frame
        self.annotate(past.interaction, past.labels.get(frame))
        for stored in past.labels:
            self._own.discard(stored)
            self._stored[stored] = past.labels
            self._sure[stored] = _from_memo(past.memos[stored]) if stored in past.memos else ()

    def close(self) -> None:
        self._own.close()


def update_with_confidence(frame: int, labels: LabelMap, confidence: list[float]) -> MaskUpdate:
    """An update whose memo is its confidence: a later round keeps that of the objects it does not look at."""
    values = np.array(confidence, np.float16)
    return MaskUpdate(frame, labels, _from_memo(values.tobytes()), values.tobytes())


def _from_memo(memo: bytes) -> tuple[float, ...]:
    return tuple(np.frombuffer(memo, np.float16).astype(float).tolist())
