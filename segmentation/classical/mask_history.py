"""Keeps the results of earlier rounds: the newest mask of each frame, its scribbles, and its annotated objects."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Mapping
from threading import Lock

import numpy as np

from segmentation.session.packed_labels import PackedLabels
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble

UNKNOWN_CONFIDENCE = 0.5  # The confidence of an object that no round has searched for in a frame.


class MaskFile:
    """Masks [height, width] by frame, compressed in an unnamed temporary file in `folder` (None: the system's default).

    A mask at 480p takes about 2 kB on disk and no memory. Several threads may use it at once.
    """

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
    """What a session knows between rounds: masks, confidences, scribbles and annotated frames of one video.

    It can be rebuilt from stored rounds alone.
    """

    def __init__(self, height: int, width: int, folder: str | None) -> None:
        self._shape = (height, width)
        self._own = MaskFile(height, width, folder)
        # Masks of stored rounds, and masks that no round made. They are read from the caller's storage when needed.
        self._stored: dict[int, Mapping[int, LabelMap]] = {}
        self._confidence: dict[int, tuple[float, ...]] = {}  # frame -> newest confidence of each object
        self.scribbles: dict[int, list[Scribble]] = {}  # by frame, oldest first
        self.annotated: dict[int, set[int]] = {}  # object id -> frames
        self._before_given = PackedLabels()  # see `mask_before_given`
        self._newly_annotated: set[int] = set()  # objects first annotated in their frame by the newest round

    def __contains__(self, frame: int) -> bool:
        return frame in self._own or frame in self._stored

    def mask(self, frame: int) -> LabelMap | None:
        """Return the newest mask of `frame`, or None if it has none yet."""
        if frame in self._own:
            return self._own[frame]
        stored = self._stored.get(frame)
        return None if stored is None else stored[frame]

    def load(self, frames: Iterable[int]) -> None:
        """Read the stored masks of some frames ahead, in the calling thread.

        The source of stored masks may be unsafe to read from several threads, and two threads use this history.
        """
        for frame in frames:
            if frame in self._stored and frame not in self._own:
                self._own[frame] = self._stored[frame][frame]

    def confidence(self, frame: int, object_id: int) -> float:
        """Return the confidence that the newest round gave an object in a frame, else UNKNOWN_CONFIDENCE."""
        values = self._confidence.get(frame, ())
        return values[object_id - 1] if object_id <= len(values) else UNKNOWN_CONFIDENCE

    def store(self, update: MaskUpdate) -> None:
        self._own[update.frame] = update.labels
        self._before_given.pop(update.frame, None)
        self._confidence[update.frame] = update.confidence

    def add_scribbles(self, interaction: Interaction) -> None:
        self.scribbles.setdefault(interaction.frame, []).extend(interaction.scribbles)

    def annotate(self, interaction: Interaction, labels: LabelMap | None) -> set[int]:
        """Record which objects an interaction annotates in its frame, and return their ids.

        These are the objects that it has scribbles for, and all objects whose mask in this frame changed.

        Args:
            labels: the frame's new mask; None if the frame's mask is locked and therefore stays the same.
        """
        touched = {scribble.object_id for scribble in interaction.scribbles} - {0}
        if labels is not None:
            before = self.mask(interaction.frame)
            if before is not None:
                changed = labels != before
                touched |= {int(i) for i in np.union1d(labels[changed], before[changed])} - {0}
        self._newly_annotated = {o for o in touched if interaction.frame not in self.annotated.get(o, ())}
        for object_id in touched:
            self.annotated.setdefault(object_id, set()).add(interaction.frame)
        return touched

    def undo_interaction(self, interaction: Interaction) -> None:
        """Forget the newest interaction, after its round has ended without any mask."""
        frame = interaction.frame
        del self.scribbles[frame][len(self.scribbles[frame]) - len(interaction.scribbles) :]
        for object_id in self._newly_annotated:
            self.annotated[object_id].discard(frame)

    def restore(self, past: PastRound) -> None:
        self.add_scribbles(past.interaction)
        frame = past.interaction.frame
        self.annotate(past.interaction, past.labels.get(frame))
        for stored in past.labels:
            self._before_given.pop(stored, None)
            self._own.discard(stored)
            self._stored[stored] = past.labels
            state = past.engine_states.get(stored)
            self._confidence[stored] = () if state is None else _decode_confidence(state)

    def adopt(self, labels: Mapping[int, LabelMap]) -> None:
        """Store masks that no round computed, such as painted masks and edits, as the newest ones of their frames."""
        for frame in labels:
            if frame not in self._before_given:
                before = self.mask(frame)
                self._before_given[frame] = np.zeros(self._shape, np.uint8) if before is None else before
            self._own.discard(frame)
            self._stored[frame] = labels
            self._confidence[frame] = ()

    def is_given(self, frame: int) -> bool:
        """Tell whether people painted, edited or imported the mask of `frame` since the last round that computed it."""
        return frame in self._before_given

    def mask_before_given(self, frame: int) -> LabelMap | None:
        """Return the mask that `frame` had after its last round, before people painted or edited it; else None.

        It is all 0 if people painted or edited the frame when it had no mask.
        """
        return self._before_given[frame] if frame in self._before_given else self.mask(frame)

    def annotate_given(self, frame: int, ids: Iterable[int]) -> None:
        """Record that a person painted the masks of the objects `ids` in a frame, which counts as annotating them."""
        for object_id in ids:
            self.annotated.setdefault(object_id, set()).add(frame)

    def close(self) -> None:
        self._own.close()


def update_with_confidence(frame: int, labels: LabelMap, confidence: list[float]) -> MaskUpdate:
    """Make a mask update whose engine state contains the confidence of each object, rounded to float16.

    A later round repeats the confidence of objects that it does not search for, and so does a rebuilt session, which
    reads them from the engine state.
    """
    state = encode_confidence(confidence)
    return MaskUpdate(frame, labels, _decode_confidence(state), state)


def encode_confidence(confidence: Iterable[float]) -> bytes:
    return np.array(list(confidence), np.float16).tobytes()


def _decode_confidence(state: bytes) -> tuple[float, ...]:
    return tuple(np.frombuffer(state, np.float16).astype(float).tolist())
