"""Cuts an object out of a frame: a U-net that puts right what GrabCut makes of the strokes, or what a walk found.

It looks at the object alone, in a window of one size around it, so that small and large objects look alike; and at one
frame alone, so that stills teach it: thousands of objects in place of the few that videos show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.classical.fusion import sigmoid
from segmentation.classical.interacted_frame import ObjectEvidence, evidence_from_probability
from segmentation.classical.motion import CameraMotion, Motion, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.cutter.snapping import snap_to_appearance
from segmentation.masks import box_of
from segmentation.networks.encoder import IMAGENET_MEAN, IMAGENET_STD
from segmentation.networks.residual import Residual, conv_bn, upsample
from segmentation.types import FloatMap, FlowField

SIDE = 160  # of the window that is looked at, pixels
NUM_CUES = 10  # what GrabCut made, how likely each pixel was, the mask before, motion (3), four kinds of strokes: 0..1
FIRST_SCRIBBLE_CUE = 6  # the first of the clues that are strokes
CUES_OUTSIDE_FRAME = (0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0)  # the clues beyond the frame: no motion is a half
AROUND = 1.5  # the window's sides in sides of what is known of the object
LEAST = 0.08  # the window's sides at least, of the frame's longer side
SLENDER = 1.6  # its longer side at most, in shorter ones
NEAR = 0.05 * SIDE  # how far a stroke is felt, pixels of the window
FINEST = 1.5  # pixels of a picture on one of the window: beyond that a smaller one is looked at, lest it flicker

FAST, SLOWEST = 0.95, 1.0  # quantile of the speeds that counts as the fastest; px at the sketch's size: slower is noise


Pixel = TypeVar("Pixel", np.uint8, np.float32)


@dataclass(frozen=True)
class RefinementNetConfig:
    """Sizes: channels at the window's own size and at 1/2, 1/4, 1/8, 1/16 and 1/32 of it."""

    kind: ClassVar[str] = "CutterConfig"  # the name of this class in the headers of checkpoints

    widths: tuple[int, ...] = (8, 16, 48, 80, 128, 160)
    skip: int = 24  # channels of a finer stage that its decoder is told of


class RefinementNet(nn.Module):
    """Windows around N objects and their clues -> one logit a pixel."""

    def __init__(self, config: RefinementNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RefinementNetConfig()
        finest, *widths = config.widths
        self.stem = nn.Sequential(
            conv_bn(3 + NUM_CUES, widths[0], 2), nn.ReLU(), conv_bn(widths[0], widths[0]), nn.ReLU()
        )
        self.down = nn.ModuleList(
            nn.Sequential(Residual(inputs, outputs, 2), Residual(outputs, outputs))
            for inputs, outputs in pairwise(widths)
        )
        self.scene = nn.Conv2d(widths[-1], widths[-1], 1)
        finer = list(pairwise(widths))[::-1]  # (this stage, the coarser one)
        self.skips = nn.ModuleList(nn.Conv2d(own, config.skip, 1) for own, _ in finer)
        self.up = nn.ModuleList(Residual(coarse + config.skip + NUM_CUES, own) for own, coarse in finer)
        self.finest = conv_bn(widths[0] + 3 + NUM_CUES, finest)
        self.out = nn.Conv2d(finest, 1, 3, padding=1)
        self.prior = nn.Parameter(torch.tensor(1.0))  # logit of what GrabCut is sure of
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor, cues: Tensor) -> Tensor:
        """Images [N, 3, H, W] in 0..1, clues [N, CLUES, H, W]; H, W multiples of 2 ** stages -> logits [N, H, W]."""
        shown = torch.cat([(images - self.get_buffer("mean")) / self.get_buffer("std"), cues], dim=1)
        x = self.stem(shown)
        stages = [x]
        for stage in self.down:
            stages.append(stage(stages[-1]))
        x = stages.pop()
        x = x + self.scene(x.mean((2, 3), keepdim=True))
        for skip, up in zip(self.skips, self.up, strict=True):
            fine = stages.pop()
            known = F.interpolate(cues, size=fine.shape[-2:], mode="area")
            x = up(torch.cat([upsample(x, fine), skip(fine), known.to(x.dtype)], dim=1))
        x = F.relu(self.finest(torch.cat([upsample(x, shown), shown.to(x.dtype)], dim=1)))
        logits: Tensor = self.out(x)[:, 0].float() + self.prior * (2 * cues[:, 0] - 1)
        return logits


@dataclass(frozen=True)
class Window:
    """A part of the frame, in fractions of its width and height; it may reach beyond the frame."""

    x: float  # left
    y: float  # top
    width: float
    height: float

    @classmethod
    def around(cls, evidence: ObjectEvidence) -> Window:
        """The window in which an object is looked at. Raises ValueError where nothing is known of it."""
        rows, columns = evidence.cut.shape
        box = box_of(evidence.known)
        if box is None:
            raise ValueError("sketch: there is nothing to look at")
        height, width = AROUND * (box.y1 - box.y0), AROUND * (box.x1 - box.x0)
        least = max(LEAST * max(rows, columns), max(height, width) / SLENDER)
        height, width = max(height, least), max(width, least)
        x, y = (box.x0 + box.x1 - width) / 2, (box.y0 + box.y1 - height) / 2
        return cls(x / columns, y / rows, width / columns, height / rows)

    def shaken(self, random: np.random.Generator) -> Window:
        """Another window that shows much the same."""
        zoom = np.exp(random.uniform(-0.25, 0.3, 2) * (0.5, 0.5) + random.uniform(-0.2, 0.2))
        width, height = self.width * zoom[0], self.height * zoom[1]
        move_x, move_y = random.uniform(-0.12, 0.12, 2)
        x, y = self.x + self.width * (0.5 + move_x) - width / 2, self.y + self.height * (0.5 + move_y) - height / 2
        return Window(float(x), float(y), float(width), float(height))

    def of(self, values: NDArray[Pixel], *, labels: bool = False) -> NDArray[Pixel]:
        """What it shows of values [h, w] or [h, w, 3] of the frame: [SIDE, SIDE(, 3)]; zeros beyond the frame."""
        how = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
        matrix = self._matrix(values.shape[0], values.shape[1])
        return cv2.warpAffine(values, matrix, (SIDE, SIDE), flags=how | cv2.WARP_INVERSE_MAP).view(np.ndarray)

    def of_picture(self, scaled: ScaledFrame) -> NDArray[np.uint8]:
        """The frame itself [SIDE, SIDE, 3], RGB."""
        image = scaled.work
        if image.shape[1] * self.width / SIDE > FINEST:
            image = scaled.grid
        if image.shape[1] * self.width / SIDE > FINEST:
            image = np.asarray(cv2.pyrDown(image), np.uint8)
        return self.of(image)

    def put(self, values: FloatMap, whole: FloatMap) -> FloatMap:
        """`whole` [h, w] with `values` [SIDE, SIDE] where the window is."""
        rows, columns = whole.shape
        matrix = self._matrix(rows, columns)
        moved = cv2.warpAffine(values, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x0, x1 = (int(np.clip(np.ceil(edge * columns), 0, columns)) for edge in (self.x, self.x + self.width))
        y0, y1 = (int(np.clip(np.ceil(edge * rows), 0, rows)) for edge in (self.y, self.y + self.height))
        result = whole.copy()
        result[y0:y1, x0:x1] = moved[y0:y1, x0:x1]
        return result

    def _matrix(self, rows: int, columns: int) -> NDArray[np.float64]:
        """Pixels of the window -> pixels of values [rows, columns], centre on centre."""
        across, down = self.width * columns / SIDE, self.height * rows / SIDE
        left, top = self.x * columns + (across - 1) / 2, self.y * rows + (down - 1) / 2
        return np.array([[across, 0, left], [0, down, top]])


def cue_channels(evidence: ObjectEvidence, window: Window) -> NDArray[np.float32]:
    """A sketch as the network sees it: [CLUES, SIDE, SIDE]."""
    moves, apart = _motion_of(evidence)
    known = [window.of(part.astype(np.float32)) for part in (evidence.cut, evidence.likely, evidence.before, moves)]
    drift = (window.of(apart).transpose(2, 0, 1) + 1) / 2
    scribbles = (evidence.own, evidence.others, evidence.missed, evidence.extra)
    return np.stack([*known, *drift, *(_near(window.of(part.astype(np.float32)) > 0.5) for part in scribbles)])


def _motion_of(evidence: ObjectEvidence) -> tuple[FloatMap, FlowField]:
    """0..1 [h, w], above a half where a pixel moves rather like what was cut than like the rest; and -1..1 [h, w, 2],
    x and y: how it moves apart from the camera, 1 being much faster than anything here."""
    motion, cut = evidence.motion, evidence.cut
    around = cv2.dilate(cut.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    camera = None if motion is None else CameraMotion.of(motion, around)
    if motion is None or camera is None:
        return np.full(cut.shape, 0.5, np.float32), np.zeros((*cut.shape, 2), np.float32)
    moves = sigmoid(object_motion_score(motion, camera, cut.astype(np.float32)))
    apart = motion.back - cv2.resize(camera.field, cut.shape[::-1])
    fastest = np.quantile(np.hypot(apart[::2, ::2, 0], apart[::2, ::2, 1]), FAST)
    return moves, np.tanh(apart / max(SLOWEST, float(fastest))).astype(np.float32)


def _near(scribble: NDArray[np.bool_]) -> FloatMap:
    """1 under a stroke, less and less with the distance to it; 0 everywhere if there is none."""
    if not scribble.any():
        return np.zeros(scribble.shape, np.float32)
    distance = cv2.distanceTransform((~scribble).astype(np.uint8), cv2.DIST_L2, 3)
    return np.exp(-distance / np.float32(NEAR)).view(np.ndarray)


def refine_interacted(network: RefinementNet, scaled: ScaledFrame, evidence: ObjectEvidence) -> FloatMap:
    """The probability of a sketched object on the grid."""
    window = Window.around(evidence)
    # Twice, once mirrored: the mean of both is a little better than either.
    logits = _answers(network, *(torch.cat([part, part.flip(3)]) for part in _shown(scaled, [evidence], [window])))
    rows, columns = scaled.grey.shape
    whole = cv2.resize(evidence.cut.astype(np.float32), (columns, rows)).view(np.ndarray)
    found = window.put(_probability((logits[0] + logits[1].flip(1)) / 2), whole)
    # What is corrected is what its own looks had wrong: a head, a wheel. There the stroke counts.
    return found if evidence.before.any() else snap_to_appearance(scaled, found)


def refine_propagated(
    network: RefinementNet, scaled: ScaledFrame, motion: Motion, found: dict[int, FloatMap]
) -> dict[int, FloatMap]:
    """What was found of the objects in a frame that nobody drew on, on the grid, put right. `motion`: the frame's, back
    to the one that was walked from. An object that is not to be seen stays so."""
    seen = {object_id: probability for object_id, probability in found.items() if (probability > 0.5).any()}
    if not seen:
        return found
    evidences = [evidence_from_probability(probability, motion) for probability in seen.values()]
    windows = [Window.around(evidence) for evidence in evidences]
    logits = _answers(network, *_shown(scaled, evidences, windows))
    answers = zip(seen.items(), windows, logits, strict=True)
    return {**found, **{o: window.put(_probability(own), whole) for (o, whole), window, own in answers}}


def _shown(
    scaled: ScaledFrame, evidences: Sequence[ObjectEvidence], windows: Sequence[Window]
) -> tuple[Tensor, Tensor]:
    """Objects and their clues as the network sees them."""
    images = np.stack([window.of_picture(scaled) for window in windows])
    cues = np.stack([cue_channels(evidence, window) for evidence, window in zip(evidences, windows, strict=True)])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(cues)


def _answers(network: RefinementNet, images: Tensor, cues: Tensor) -> Tensor:
    device = network.prior.device
    logits: Tensor = network(images.to(device).contiguous(memory_format=torch.channels_last), cues.to(device))
    return logits


def _probability(logits: Tensor) -> FloatMap:
    return torch.sigmoid(logits).cpu().numpy()
