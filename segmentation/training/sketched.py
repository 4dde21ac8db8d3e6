"""A frame as STAR's cutter meets one: objects that were drawn on, or whose masks were corrected, each in its window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from segmentation.classical.drawing import Drawing, Sketch
from segmentation.classical.picture import Pictures, Sizes
from segmentation.engines.star.cutting import CLUES, SIDE, Window, clues_of
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.frames import ArrayFrames
from segmentation.masks import resize_labels
from segmentation.training.clips import Clip
from segmentation.training.lessons.batch import damage
from segmentation.training.sources import IGNORE
from segmentation.training.strokes import correcting_scribbles, first_scribbles
from segmentation.types import LabelMap, Scribble

WHOLE = 0.4  # of the clips: strokes through the middle of all of an object, as the challenge's robot draws them
CORRECTED = 0.8  # of the objects: they are corrected once too
OF_CUT = 0.4  # of the corrections: what is corrected is what GrabCut made of the first strokes; else the truth, damaged
LARGEST = 0.5  # of the corrections: one stroke through the largest error, all of it; else one of each kind, or parts

Known = tuple[Sketch, NDArray[np.uint8]]  # an object's sketch, and what is right: 1 = object, 255 = nobody knows


@dataclass(frozen=True)
class Sketched:
    """N windows uint8 [N, SIDE, SIDE, 3], their clues uint8 [N, CLUES, SIDE, SIDE] and what is right [N, SIDE, SIDE].

    There 1 = object, 255 = nobody knows.
    """

    images: NDArray[np.uint8]
    clues: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    corrects: NDArray[np.bool_]  # [N]: there was a mask before


def sketch(clip: Clip, random: np.random.Generator) -> Sketched:
    """The objects of the first frame of a clip, drawn on for the first time, and corrected; the second one only shows
    how it moves."""
    pictures = _pictures(clip)
    return _windows(pictures, _sketches(pictures, clip.labels[0], clip.num_objects, random), random)


def sketch_found(clip: Clip, found: NDArray[np.uint8], random: np.random.Generator) -> Sketched:
    """Corrections of what was found of the objects in the first frame: probabilities [n, H, W], 255 = 1."""
    pictures, labels = _pictures(clip), clip.labels[0]
    made = []
    for number, probability in enumerate(found, start=1):
        truth = _of_object(labels, number)
        corrected = _correction(pictures, truth, (probability > 127).astype(np.uint8), [], random)
        if corrected is not None:
            made.append((corrected, truth))
    return _windows(pictures, made, random)


def _pictures(clip: Clip) -> Pictures:
    return Pictures(ArrayFrames(clip.frames), Sizes.of(*clip.labels.shape[1:]))


def _of_object(labels: LabelMap, number: int) -> NDArray[np.uint8]:
    return np.where(labels == IGNORE, IGNORE, labels == number).astype(np.uint8)


def _windows(pictures: Pictures, made: Iterable[Known], random: np.random.Generator) -> Sketched:
    windows = []
    for found, truth in made:
        if not found.contradicts:  # a stroke of another object lies over all of its own
            continue
        window = Window.around(found).shaken(random)
        clues = np.round(255 * clues_of(found, window)).astype(np.uint8)
        answer = window.of(truth + np.uint8(1), labels=True) - np.uint8(1)  # 255 beyond the frame: nobody knows
        windows.append((window.of_picture(pictures[0]), clues, answer, found.before.any()))
    if not windows:
        nothing = np.zeros((0, SIDE, SIDE), np.uint8)
        return Sketched(nothing[..., None].repeat(3, 3), nothing[:, None].repeat(CLUES, 1), nothing, np.zeros(0, bool))
    images, all_clues, answers, corrects = zip(*windows, strict=True)
    return Sketched(np.stack(images), np.stack(all_clues), np.stack(answers), np.array(corrects))


def _sketches(pictures: Pictures, labels: LabelMap, count: int, random: np.random.Generator) -> list[Known]:
    """First sketches of the objects of a frame, and corrections; and what is right: 1 = object, 255 = nobody knows."""
    known = np.where(labels == IGNORE, 0, labels).astype(np.uint8)
    strokes = first_strokes(known, count) if random.random() < WHOLE else first_scribbles(random, known, count)
    drawing = Drawing(pictures, 0, [], strokes, None, int(random.integers(1 << 30)))
    made = []
    for number in range(1, count + 1):
        truth = _of_object(labels, number)
        first = drawing.sketch(number)
        made.append((first, truth))
        if random.random() < CORRECTED:
            corrected = _corrected(pictures, truth, first, [s for s in strokes if s.object_id == number], random)
            if corrected is not None:
                made.append((corrected, truth))
    return made


def _corrected(
    pictures: Pictures,
    truth: NDArray[np.uint8],
    first: Sketch,
    strokes: list[Scribble],
    random: np.random.Generator,
) -> Sketch | None:
    """The sketch of a correction of one object; None where nothing is wrong that could be drawn on."""
    if random.random() < OF_CUT:
        before = resize_labels(first.cut.astype(np.uint8), *truth.shape)
        return _correction(pictures, truth, before, [Scribble(1, stroke.path) for stroke in strokes], random)
    return _correction(pictures, truth, _worn((truth == 1).astype(np.uint8), random), [], random)


def _correction(
    pictures: Pictures,
    truth: NDArray[np.uint8],
    before: LabelMap,
    earlier: list[Scribble],
    random: np.random.Generator,
) -> Sketch | None:
    """The sketch of a correction of the mask `before` (0 and 1); None where nothing is wrong that could be drawn on."""
    before = np.where(truth == IGNORE, 0, before).astype(np.uint8)
    largest = correcting_stroke((truth == 1).astype(np.uint8), before) if random.random() < LARGEST else None
    drawn = [largest] if largest is not None else list(correcting_scribbles(random, truth, before, 1))
    if not drawn or not before.any():
        return None
    return Drawing(pictures, 0, earlier, drawn, before, int(random.integers(1 << 30))).sketch(1)


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
