"""The cutter's network: a U-Net that corrects an object's mask, which GrabCut or the propagation has made.

It sees a window around the object, resampled to a fixed size, so that small and large objects look alike. It needs a
single frame, so that it can be trained on still images, which show thousands of objects where videos show few.
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
from segmentation.classical.interacted_frame import ObjectEvidence
from segmentation.classical.motion import CameraMotion, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.cutter.snapping import snap_to_appearance
from segmentation.masks import box_of
from segmentation.networks.encoder import IMAGENET_MEAN, IMAGENET_STD
from segmentation.networks.residual import Residual, conv_bn, upsample
from segmentation.types import FloatMap, FlowField

SIDE = 160  # Side of the resampled window, in pixels.
# Cues are the input maps of the network beside the frame, each 0..1: GrabCut's mask, its likelihood, the previous mask,
# motion (3 maps) and four kinds of scribbles.
NUM_CUES = 10
FIRST_SCRIBBLE_CUE = 6  # Index of the first cue that shows scribbles.
CUES_OUTSIDE_FRAME = (0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0)  # Values of the cues outside the frame; 0.5 means no motion.
AROUND = 1.5  # Sides of the window, relative to those of the object's bounding box.
LEAST = 0.08  # Smallest side of the window, relative to the frame's longer side.
SLENDER = 1.6  # Largest ratio of the window's sides.
NEAR = 0.05 * SIDE  # Distance from a scribble in pixels of the window at which its cue has fallen to 1/e.
FINEST = 1.5  # If a window pixel covers more frame pixels than this, a smaller frame is sampled, against aliasing.

# The quantile of speeds in a frame that counts as speed 1, and the smallest such speed in pixels: less is noise.
FAST, SLOWEST = 0.95, 1.0


Pixel = TypeVar("Pixel", np.uint8, np.float32)


@dataclass(frozen=True)
class RefinementNetConfig:
    """Numbers of channels. `widths` are those at the window's full size and at 1/2, 1/4, 1/8, 1/16 and 1/32 of it."""

    kind: ClassVar[str] = "CutterConfig"  # The name by which the headers of checkpoints call this class.

    widths: tuple[int, ...] = (8, 16, 48, 80, 128, 160)
    skip: int = 24  # channels of each skip connection


class RefinementNet(nn.Module):
    """Takes windows around N objects and their cues, and returns for each pixel the logit of belonging to the object.

    Cues are maps of what is known of the object, see `NUM_CUES`.
    """

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
        finer = list(pairwise(widths))[::-1]  # (width of a stage, width of the next coarser stage)
        self.skips = nn.ModuleList(nn.Conv2d(own, config.skip, 1) for own, _ in finer)
        self.up = nn.ModuleList(Residual(coarse + config.skip + NUM_CUES, own) for own, coarse in finer)
        self.finest = conv_bn(widths[0] + 3 + NUM_CUES, finest)
        self.out = nn.Conv2d(finest, 1, 3, padding=1)
        self.prior = nn.Parameter(torch.tensor(1.0))  # The learned logit of a pixel in GrabCut's mask.
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor, cues: Tensor) -> Tensor:
        """Compute logits [N, H, W] from images [N, 3, H, W], 0..1, and cues [N, NUM_CUES, H, W].

        H and W are multiples of 32, or in general of 2 to the number of reductions (`widths` less 1).
        """
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
    """The rectangle around an object that the cutter sees, in fractions of the frame's width and height.

    It may extend beyond the frame.
    """

    x: float  # left
    y: float  # top
    width: float
    height: float

    @classmethod
    def around(cls, evidence: ObjectEvidence) -> Window:
        """Return the window around an object. Raises ValueError if no pixel of the object is known."""
        rows, columns = evidence.cut.shape
        box = box_of(evidence.known)
        if box is None:
            raise ValueError("evidence: no pixel of the object is known")
        height, width = AROUND * (box.y1 - box.y0), AROUND * (box.x1 - box.x0)
        least = max(LEAST * max(rows, columns), max(height, width) / SLENDER)
        height, width = max(height, least), max(width, least)
        x, y = (box.x0 + box.x1 - width) / 2, (box.y0 + box.y1 - height) / 2
        return cls(x / columns, y / rows, width / columns, height / rows)

    def shaken(self, random: np.random.Generator) -> Window:
        """Return a randomly moved and scaled window, for training."""
        zoom = np.exp(random.uniform(-0.25, 0.3, 2) * (0.5, 0.5) + random.uniform(-0.2, 0.2))
        width, height = self.width * zoom[0], self.height * zoom[1]
        move_x, move_y = random.uniform(-0.12, 0.12, 2)
        x, y = self.x + self.width * (0.5 + move_x) - width / 2, self.y + self.height * (0.5 + move_y) - height / 2
        return Window(float(x), float(y), float(width), float(height))

    def of(self, values: NDArray[Pixel], *, labels: bool = False) -> NDArray[Pixel]:
        """Crop a map of the frame, [h, w] or [h, w, 3], to the window and resample it to SIDE x SIDE pixels.

        Pixels outside the frame are 0. `labels` means that the values are object ids, which are not interpolated.
        """
        how = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
        matrix = self._matrix(values.shape[0], values.shape[1])
        return cv2.warpAffine(values, matrix, (SIDE, SIDE), flags=how | cv2.WARP_INVERSE_MAP).view(np.ndarray)

    def of_picture(self, scaled: ScaledFrame) -> NDArray[np.uint8]:
        """Crop the frame to the window and resample it to [SIDE, SIDE, 3], uint8 RGB."""
        image = scaled.work
        if image.shape[1] * self.width / SIDE > FINEST:
            image = scaled.grid
        if image.shape[1] * self.width / SIDE > FINEST:
            image = np.asarray(cv2.pyrDown(image), np.uint8)
        return self.of(image)

    def put(self, values: FloatMap, whole: FloatMap) -> FloatMap:
        """Return a copy of the frame's map `whole` [h, w] in which the window has the values `values` [SIDE, SIDE]."""
        rows, columns = whole.shape
        matrix = self._matrix(rows, columns)
        moved = cv2.warpAffine(values, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x0, x1 = (int(np.clip(np.ceil(edge * columns), 0, columns)) for edge in (self.x, self.x + self.width))
        y0, y1 = (int(np.clip(np.ceil(edge * rows), 0, rows)) for edge in (self.y, self.y + self.height))
        result = whole.copy()
        result[y0:y1, x0:x1] = moved[y0:y1, x0:x1]
        return result

    def _matrix(self, rows: int, columns: int) -> NDArray[np.float64]:
        """Return the affine matrix [2, 3] that maps pixels of the window to pixels of a frame of `rows` x `columns`."""
        across, down = self.width * columns / SIDE, self.height * rows / SIDE
        left, top = self.x * columns + (across - 1) / 2, self.y * rows + (down - 1) / 2
        return np.array([[across, 0, left], [0, down, top]])


def cue_channels(evidence: ObjectEvidence, window: Window) -> NDArray[np.float32]:
    """Return the input maps (cues) of an object for the network, cropped to a window: [NUM_CUES, SIDE, SIDE]."""
    moves, apart = _motion_of(evidence)
    known = [window.of(part.astype(np.float32)) for part in (evidence.cut, evidence.likely, evidence.before, moves)]
    drift = (window.of(apart).transpose(2, 0, 1) + 1) / 2
    scribbles = (evidence.own, evidence.others, evidence.missed, evidence.extra)
    return np.stack([*known, *drift, *(_near(window.of(part.astype(np.float32)) > 0.5) for part in scribbles)])


def _motion_of(evidence: ObjectEvidence) -> tuple[FloatMap, FlowField]:
    """Return two maps of motion in the frame.

    The first, 0..1 [h, w], is above 0.5 where a pixel moves like the object rather than like the background. The
    second, -1..1 [h, w, 2], is the motion relative to the background in x and y, scaled by the fast motions of the
    frame.
    """
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
    """Return a map that is 1 under a scribble and falls exponentially with the distance to it (see `NEAR`).

    It is 0 everywhere if the window has no scribble.
    """
    if not scribble.any():
        return np.zeros(scribble.shape, np.float32)
    distance = cv2.distanceTransform((~scribble).astype(np.uint8), cv2.DIST_L2, 3)
    return np.exp(-distance / np.float32(NEAR)).view(np.ndarray)


def refine_interacted(network: RefinementNet, scaled: ScaledFrame, evidence: ObjectEvidence) -> FloatMap:
    """Segment an object by the cutter, in the frame that was drawn on.

    Return its probability map at the reduced size `Sizes.grid`. Raises ValueError if no pixel of it is known.
    """
    window = Window.around(evidence)
    # The window is segmented twice, the second time mirrored: the mean is a little better than either result.
    logits = _answers(network, *(torch.cat([part, part.flip(3)]) for part in _shown(scaled, [evidence], [window])))
    rows, columns = scaled.grey.shape
    whole = cv2.resize(evidence.cut.astype(np.float32), (columns, rows)).view(np.ndarray)
    found = window.put(_probability((logits[0] + logits[1].flip(1)) / 2), whole)
    # A correction often adds a part that looks unlike the rest of the object, such as a head or a wheel. Snapping the
    # map to the appearance of the object would undo it.
    return found if evidence.before.any() else snap_to_appearance(scaled, found)


def _shown(
    scaled: ScaledFrame, evidences: Sequence[ObjectEvidence], windows: Sequence[Window]
) -> tuple[Tensor, Tensor]:
    """Return the network's inputs for N objects: images [N, 3, SIDE, SIDE] and cues [N, NUM_CUES, SIDE, SIDE]."""
    images = np.stack([window.of_picture(scaled) for window in windows])
    cues = np.stack([cue_channels(evidence, window) for evidence, window in zip(evidences, windows, strict=True)])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(cues)


def _answers(network: RefinementNet, images: Tensor, cues: Tensor) -> Tensor:
    device = network.prior.device
    logits: Tensor = network(images.to(device).contiguous(memory_format=torch.channels_last), cues.to(device))
    return logits


def _probability(logits: Tensor) -> FloatMap:
    return torch.sigmoid(logits).cpu().numpy()
