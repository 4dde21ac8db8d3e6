"""Makes training samples for STAR's cutter, the network that computes an object's mask in a crop of a frame.

A sample has scribbles on an object, scribbles that correct an earlier mask, or a propagated mask without scribbles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence, evidence_from_probability
from segmentation.classical.motion import FlowEstimator
from segmentation.classical.scaled_frames import ScaledFrame, ScaledFrames, Sizes
from segmentation.cutter.refinement import NUM_CUES, SIDE, Window, cue_channels
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.frames import ArrayFrames
from segmentation.masks import resize_labels
from segmentation.training.clips import Clip
from segmentation.training.objectives.batch import damage
from segmentation.training.synthetic_scribbles import correcting_scribbles, first_scribbles, thorough_scribbles
from segmentation.types import IGNORE, FloatMap, LabelMap, Scribble

WHOLE = 0.4  # fraction of clips with a scribble through the middle of the whole object, as the DAVIS robot draws it
CORRECTED = 0.8  # fraction of objects for which a sample that corrects a mask is made too
UNCUT = 0.35  # fraction of samples without an earlier mask that lack GrabCut's mask, so that the network does without
FOLLOWED = 0.3  # fraction of objects for which a sample with a damaged mask and no scribble is made, as if propagated
OWN = 0.6  # fraction of corrections that correct the mask of the network `draw`, made from the first scribbles
OF_CUT = 0.4  # fraction of the other corrections that correct GrabCut's mask; the rest correct damaged true masks
AGAIN = 0.4  # fraction of corrections whose result is corrected again
# Fractions of corrections with a scribble through every wrong part, as the DAVIS robot draws them, and with only one,
# through the largest wrong part. The rest have partial scribbles, at most one for each id.
THOROUGH, LARGEST = 0.4, 0.3

Map = FloatMap
Draw = Callable[[ScaledFrame, ObjectEvidence], Map]  # computes an object's probability map in the reduced frame
Known = tuple[
    ObjectEvidence, NDArray[np.uint8]
]  # evidence of an object (scribbles, masks, GrabCut), and its ground truth: 1 = object, 255 = ignore


@dataclass(frozen=True, eq=False)
class CutterCrops:
    """N crops of SIDE x SIDE pixels, each around one object, as the cutter gets them, and their ground truth.

    They are images uint8 [N, SIDE, SIDE, 3]; the cutter's further input channels (scribbles, earlier masks, GrabCut's
    mask), uint8 [N, channels, SIDE, SIDE], 255 = 1; and the ground truth, uint8 [N, SIDE, SIDE], in which 1 is the
    object and 255 is "ignore".
    """

    images: NDArray[np.uint8]
    clues: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    corrects: NDArray[np.bool_]  # [N]: whether the sample corrects an earlier mask


def drawn_crops(clip: Clip, random: np.random.Generator, draw: Draw | None = None) -> CutterCrops:
    """Make samples of the objects in the first frame of a clip: with first scribbles, and with corrections.

    The second frame is used only to estimate the motion.

    Args:
        draw: a network that computes some of the masks to be corrected. The others are masks of GrabCut and damaged
            true masks. None: there are only these.
    """
    pictures = _scaled_frames(clip)
    return _windows(pictures, _drawn(pictures, clip.labels[0], clip.num_objects, random, draw), random)


def propagated_crops(
    clip: Clip, found: NDArray[np.uint8], random: np.random.Generator, draw: Draw | None = None
) -> CutterCrops:
    """Make samples of the objects in the first frame of a clip from the probability maps that an engine propagated.

    Each map gives a sample without scribbles, and samples in which scribbles correct it.

    Args:
        found: the probability maps of objects 1..n in the first frame, uint8 [n, H, W]; 255 is probability 1.
        draw: as for `drawn_crops`.
    """
    pictures, labels = _scaled_frames(clip), clip.labels[0]
    made: list[Known] = []
    for number, probability in enumerate(found, start=1):
        truth = _of_object(labels, number)
        made += _followed(pictures, truth, probability.astype(np.float32) / 255)
        made += Correcting(pictures, truth, random, draw).of((probability > 127).astype(np.uint8), [])
    return _windows(pictures, made, random)


def _scaled_frames(clip: Clip) -> ScaledFrames:
    return ScaledFrames(ArrayFrames(clip.frames), Sizes.of(*clip.labels.shape[1:]))


def _followed(pictures: ScaledFrames, truth: NDArray[np.uint8], probability: Map) -> list[Known]:
    """Make a sample without scribbles from a propagated probability map of an object in the first frame.

    Returns [] if the map has no value above 0.5 at the grid size.
    """
    height, width = pictures[0].grey.shape
    found = cv2.resize(probability, (width, height), interpolation=cv2.INTER_AREA).view(np.ndarray)
    if not (found > 0.5).any():
        return []
    return [(evidence_from_probability(found, FlowEstimator().between(pictures[0].grey, pictures[1].grey)), truth)]


def _of_object(labels: LabelMap, number: int) -> NDArray[np.uint8]:
    return np.where(labels == IGNORE, IGNORE, labels == number).astype(np.uint8)


def _windows(pictures: ScaledFrames, made: Iterable[Known], random: np.random.Generator) -> CutterCrops:
    windows = []
    for found, truth in made:
        # `contradicts` is false if other objects' scribbles cover the scribbles of this object
        if found.own.any() and not found.contradicts:
            continue
        window = Window.around(found).shaken(random)
        if not found.before.any() and random.random() < UNCUT:
            found = replace(found, cut=found.own)
        clues = np.round(255 * cue_channels(found, window)).astype(np.uint8)
        answer = window.of(truth + np.uint8(1), labels=True) - np.uint8(1)  # 255 (ignore) outside the frame
        windows.append((window.of_picture(pictures[0]), clues, answer, found.before.any()))
    if not windows:
        nothing = np.zeros((0, SIDE, SIDE), np.uint8)
        return CutterCrops(
            nothing[..., None].repeat(3, 3), nothing[:, None].repeat(NUM_CUES, 1), nothing, np.zeros(0, bool)
        )
    images, all_clues, answers, corrects = zip(*windows, strict=True)
    return CutterCrops(np.stack(images), np.stack(all_clues), np.stack(answers), np.array(corrects))


def _drawn(
    pictures: ScaledFrames, labels: LabelMap, count: int, random: np.random.Generator, draw: Draw | None
) -> list[Known]:
    """Make samples of the objects 1..`count` of a frame, each with its ground truth (1 = object, 255 = "ignore").

    For each object there is a sample with first scribbles, and at random samples of a propagated mask and corrections.
    """
    known = np.where(labels == IGNORE, 0, labels).astype(np.uint8)
    strokes = first_strokes(known, count) if random.random() < WHOLE else first_scribbles(random, known, count)
    drawing = InteractedFrame(pictures, 0, [], strokes, None, int(random.integers(1 << 30)))
    made = []
    for number in range(1, count + 1):
        truth = _of_object(labels, number)
        first = drawing.evidence(number)
        made.append((first, truth))
        if random.random() < FOLLOWED:
            worn = _worn((truth == 1).astype(np.uint8), random).astype(np.float32)
            blur = float(np.exp(random.uniform(np.log(0.5), np.log(6))))
            made += _followed(pictures, truth, cv2.GaussianBlur(worn, (0, 0), blur).view(np.ndarray))
        if random.random() < CORRECTED:
            own = [Scribble(1, stroke.path) for stroke in strokes if stroke.object_id == number]
            made += Correcting(pictures, truth, random, draw).begun(first, own)
    return made


@dataclass(frozen=True, eq=False)
class Correcting:
    """Makes training samples as if a user corrected the mask of one object in one frame.

    The user draws scribbles where the mask differs from `truth` (1 = object, 255 = ignored). `draw` is the network that
    computes the mask after scribbles; without it each mask is corrected only once.
    """

    pictures: ScaledFrames
    truth: NDArray[np.uint8]
    random: np.random.Generator
    draw: Draw | None

    def begun(self, first: ObjectEvidence, strokes: list[Scribble]) -> list[Known]:
        """Make samples that correct a first mask: at random that of `draw`, that of GrabCut, or a damaged true mask.

        Args:
            first: the sample with first scribbles.
            strokes: these scribbles.
        """
        what = self.random.random()
        if self.draw is not None and what < OWN and first.contradicts:
            return self.of(self._mask(self.draw(self.pictures[0], first)), strokes)
        if what < OWN + OF_CUT * (1 - OWN):
            return self.of(resize_labels(first.cut.astype(np.uint8), *self.truth.shape), strokes)
        return self.of(_worn((self.truth == 1).astype(np.uint8), self.random), [])

    def of(self, before: LabelMap, earlier: list[Scribble]) -> list[Known]:
        """Make a sample that corrects the mask `before`, [H, W] of 0 and 1, and sometimes more that correct its result.

        The corrections end at random, or when no wrong region is large enough for a scribble or the mask is empty.
        `earlier` are the scribbles that were drawn before.
        """
        made: list[Known] = []
        while True:
            before = np.where(self.truth == IGNORE, 0, before).astype(np.uint8)
            drawn = self._drawn(before)
            if not drawn or not before.any():
                return made
            corrected = InteractedFrame(
                self.pictures, 0, earlier, drawn, before, int(self.random.integers(1 << 30))
            ).evidence(1)
            made.append((corrected, self.truth))
            if self.draw is None or self.random.random() > AGAIN or not corrected.contradicts:
                return made
            before, earlier = self._mask(self.draw(self.pictures[0], corrected)), [*earlier, *drawn]

    def _drawn(self, before: LabelMap) -> list[Scribble]:
        what = self.random.random()
        if what < THOROUGH:
            return list(thorough_scribbles(self.truth, before, 1))
        if what < THOROUGH + LARGEST:
            largest = correcting_stroke((self.truth == 1).astype(np.uint8), before)
            return [] if largest is None else [largest]
        return list(correcting_scribbles(self.random, self.truth, before, 1))

    def _mask(self, probability: Map) -> LabelMap:
        """Convert a probability map of any size to a mask of the frame's size, 0 and 1."""
        return resize_labels((probability > 0.5).astype(np.uint8), *self.truth.shape)


def _worn(mask: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Damage a mask [H, W] of 0 and 1 as a long propagation does: bend and shift it, and remove and add parts."""
    ys, xs = np.nonzero(mask)
    if not len(ys):
        return mask
    noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
    worn = (damage(torch.from_numpy(mask)[None].float(), noise)[0] > 0.5).numpy().astype(np.uint8)
    height, width = mask.shape
    across, down = xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
    one = int(random.integers(len(ys)))
    if random.random() < 0.5:  # remove one side of a random line
        y, x = np.mgrid[0:height, 0:width]
        angle = random.uniform(0, 2 * np.pi)
        worn[np.cos(angle) * (x - xs[one]) + np.sin(angle) * (y - ys[one]) > 0] = 0
    if random.random() < 0.3:
        shift = random.uniform(-0.2, 0.2, 2) * (across, down)
        moved = cv2.warpAffine(mask, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (width, height))
        worn = np.asarray(moved, np.uint8) if random.random() < 0.5 else worn | np.asarray(moved, np.uint8)
    if random.random() < 0.4:  # add an ellipse beside the object
        axes = random.uniform(0.08, 0.35, 2) * max(across, down)
        place = int(xs[one] + random.normal(0, 0.4) * across), int(ys[one] + random.normal(0, 0.4) * down)
        cv2.ellipse(worn, place, (int(axes[0]) + 2, int(axes[1]) + 2), random.uniform(0, 180), 0, 360, 1, cv2.FILLED)
    return worn
