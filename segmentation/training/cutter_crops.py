"""A frame as STAR's cutter meets one: objects drawn on, corrected, or carried there by a walk, each in its window."""

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

WHOLE = 0.4  # of the clips: strokes through the middle of all of an object, as the challenge's robot draws them
CORRECTED = 0.8  # of the objects: they are corrected once too
UNCUT = 0.35  # of the first sketches: without what GrabCut made of the strokes, which is not to be believed blindly
FOLLOWED = 0.3  # of the objects: a damaged mask is to be put right that nobody has drawn on, as one that was carried on
OWN = 0.6  # of the corrections, where there is a network to draw: of what it makes of the first strokes
OF_CUT = 0.4  # of the others: of what GrabCut made of them; else of the truth, damaged
AGAIN = 0.4  # of the corrections: what the network makes of them is corrected once more
# Of the corrections: a stroke through every part that is wrong, as the robot draws; one through the largest part; else
# one of each kind, or parts of it.
THOROUGH, LARGEST = 0.4, 0.3

Map = FloatMap
Draw = Callable[[ScaledFrame, ObjectEvidence], Map]  # an object's probability on the grid, from its sketch in a frame
Known = tuple[
    ObjectEvidence, NDArray[np.uint8]
]  # an object's sketch, and what is right: 1 = object, 255 = nobody knows


@dataclass(frozen=True, eq=False)
class CutterCrops:
    """N windows uint8 [N, SIDE, SIDE, 3], their clues uint8 [N, CLUES, SIDE, SIDE] and what is right [N, SIDE, SIDE].

    There 1 = object, 255 = nobody knows.
    """

    images: NDArray[np.uint8]
    clues: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    corrects: NDArray[np.bool_]  # [N]: there was a mask before


def sketch(clip: Clip, random: np.random.Generator, draw: Draw | None = None) -> CutterCrops:
    """The objects of the first frame of a clip, drawn on for the first time, and corrected; the second one only shows
    how it moves. `draw`: what masks are made by that get corrected; without it they are made up."""
    pictures = _scaled_frames(clip)
    return _windows(pictures, _sketches(pictures, clip.labels[0], clip.num_objects, random, draw), random)


def sketch_found(
    clip: Clip, found: NDArray[np.uint8], random: np.random.Generator, draw: Draw | None = None
) -> CutterCrops:
    """Corrections of what was found of the objects in the first frame: probabilities [n, H, W], 255 = 1."""
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
    """What was found of an object in the first frame, as a walk finds it: nobody has drawn there."""
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
        if found.own.any() and not found.contradicts:  # a stroke of another object lies over all of its own
            continue
        window = Window.around(found).shaken(random)
        if not found.before.any() and random.random() < UNCUT:
            found = replace(found, cut=found.own)
        clues = np.round(255 * cue_channels(found, window)).astype(np.uint8)
        answer = window.of(truth + np.uint8(1), labels=True) - np.uint8(1)  # 255 beyond the frame: nobody knows
        windows.append((window.of_picture(pictures[0]), clues, answer, found.before.any()))
    if not windows:
        nothing = np.zeros((0, SIDE, SIDE), np.uint8)
        return CutterCrops(
            nothing[..., None].repeat(3, 3), nothing[:, None].repeat(NUM_CUES, 1), nothing, np.zeros(0, bool)
        )
    images, all_clues, answers, corrects = zip(*windows, strict=True)
    return CutterCrops(np.stack(images), np.stack(all_clues), np.stack(answers), np.array(corrects))


def _sketches(
    pictures: ScaledFrames, labels: LabelMap, count: int, random: np.random.Generator, draw: Draw | None
) -> list[Known]:
    """First sketches of the objects of a frame, and corrections; and what is right: 1 = object, 255 = nobody knows."""
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
    """Corrections of one object of a frame; `truth` is 1 where it is, 255 where nobody knows."""

    pictures: ScaledFrames
    truth: NDArray[np.uint8]
    random: np.random.Generator
    draw: Draw | None

    def begun(self, first: ObjectEvidence, strokes: list[Scribble]) -> list[Known]:
        """Corrections of a mask that may have been made of a first sketch, of these strokes."""
        what = self.random.random()
        if self.draw is not None and what < OWN and first.contradicts:
            return self.of(self._mask(self.draw(self.pictures[0], first)), strokes)
        if what < OWN + OF_CUT * (1 - OWN):
            return self.of(resize_labels(first.cut.astype(np.uint8), *self.truth.shape), strokes)
        return self.of(_worn((self.truth == 1).astype(np.uint8), self.random), [])

    def of(self, before: LabelMap, earlier: list[Scribble]) -> list[Known]:
        """A correction of the mask `before` (0 and 1), and at times one of what becomes of that, and so on.

        They end where nothing is wrong that could be drawn on.
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
        """A probability on the grid as a mask at the frame's size."""
        return resize_labels((probability > 0.5).astype(np.uint8), *self.truth.shape)


def _worn(mask: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A mask [H, W] of 0 and 1 as many frames may leave it: bent, behind its object, a part lost, another found."""
    ys, xs = np.nonzero(mask)
    if not len(ys):
        return mask
    noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
    worn = (damage(torch.from_numpy(mask)[None].float(), noise)[0] > 0.5).numpy().astype(np.uint8)
    height, width = mask.shape
    across, down = xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
    one = int(random.integers(len(ys)))
    if random.random() < 0.5:  # what lies on one side of a line is lost
        y, x = np.mgrid[0:height, 0:width]
        angle = random.uniform(0, 2 * np.pi)
        worn[np.cos(angle) * (x - xs[one]) + np.sin(angle) * (y - ys[one]) > 0] = 0
    if random.random() < 0.3:
        shift = random.uniform(-0.2, 0.2, 2) * (across, down)
        moved = cv2.warpAffine(mask, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (width, height))
        worn = np.asarray(moved, np.uint8) if random.random() < 0.5 else worn | np.asarray(moved, np.uint8)
    if random.random() < 0.4:  # something beside it is taken for a part of it
        axes = random.uniform(0.08, 0.35, 2) * max(across, down)
        place = int(xs[one] + random.normal(0, 0.4) * across), int(ys[one] + random.normal(0, 0.4) * down)
        cv2.ellipse(worn, place, (int(axes[0]) + 2, int(axes[1]) + 2), random.uniform(0, 180), 0, 360, 1, cv2.FILLED)
    return worn
