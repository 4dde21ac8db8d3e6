"""Adds difficult content to training clips: copies of an object (twins), and frames without any object."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.training.clips import FEATHER, Clip
from segmentation.types import IGNORE

TWIN = 0.25  # probability that a copy of object 1 is added, labelled as background or as another object
# Probability that in a clip of more than three frames one in the middle becomes black, white, one colour, noise or
# another image.
INTERRUPTED = 0.25


def staged(clip: Clip, random: np.random.Generator, max_objects: int) -> Clip:
    """Return the clip with random changes: a twin (a copy of object 1), a frame without objects, both or neither."""
    if random.random() < TWIN:
        clip = with_twin(clip, random, named=clip.num_objects < max_objects and random.random() < 0.5)
    if random.random() < INTERRUPTED and len(clip.frames) > 3:
        clip = interrupted(clip, random)
    return clip


def with_twin(clip: Clip, random: np.random.Generator, named: bool) -> Clip:
    """Return the clip with a copy of object 1 beside it and behind all objects.

    If `named`, the pixels of the copy are labelled as a new object with the id `num_objects` + 1, otherwise as
    background. The clip stays as it is if frame 0 does not show object 1, or not the copy that gets an id.
    """
    height, width = clip.labels.shape[1:]
    ys, xs = np.nonzero(clip.labels[0] == 1)
    if not len(ys):
        return clip
    frames, labels = clip.frames.copy(), clip.labels.copy()
    reach = np.array([xs.max() - xs.min() + 1, ys.max() - ys.min() + 1])
    angle = random.uniform(0, 2 * np.pi)
    shift = np.array([np.cos(angle) * (reach[0] + 0.1 * width), 0.5 * np.sin(angle) * (reach[1] + 0.1 * height)])
    drift = random.normal(0, 0.01 * width, 2)
    mirrored = random.random() < 0.3
    for t in range(len(frames)):
        matrix = _shifted(clip.labels[t] == 1, shift + t * drift, mirrored)
        picture = cv2.warpAffine(clip.frames[t], matrix, (width, height))
        cut = cv2.warpAffine((clip.labels[t] == 1).astype(np.uint8), matrix, (width, height)) > 0
        cut &= (clip.labels[t] == 0) | (clip.labels[t] == IGNORE)
        alpha = cv2.GaussianBlur(cut.astype(np.float32), (0, 0), FEATHER)[..., None]
        alpha[(clip.labels[t] > 0) & (clip.labels[t] != IGNORE)] = 0
        frames[t] = frames[t] * (1 - alpha) + picture * alpha
        labels[t][cut] = clip.num_objects + 1 if named else 0
    seen = named and bool((labels[0] == clip.num_objects + 1).any())
    if named and not seen:
        return clip
    return Clip(frames, labels, clip.num_objects + int(named))


def _shifted(mask: NDArray[np.bool_], shift: NDArray[np.float64], mirrored: bool) -> NDArray[np.float64]:
    """Return the affine matrix [2, 3] that moves an image by `shift`, in pixels.

    If `mirrored`, the image is first mirrored left to right about the middle of the mask.
    """
    if not mirrored or not mask.any():
        return np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    columns = np.flatnonzero(mask.any(axis=0))
    return np.array([[-1.0, 0.0, columns[0] + columns[-1] + shift[0]], [0.0, 1.0, shift[1]]])


def interrupted(clip: Clip, random: np.random.Generator) -> Clip:
    """Return the clip with one of its middle frames replaced by an image without objects, labelled as background."""
    frames, labels = clip.frames.copy(), clip.labels.copy()
    index = int(random.integers(2, len(frames) - 1))
    shape = frames[index].shape
    kind = int(random.integers(5))
    if kind == 0:
        shown = np.zeros(shape)
    elif kind == 1:
        shown = np.full(shape, 255.0)
    elif kind == 2:
        shown = np.broadcast_to(random.uniform(0, 255, 3), shape)
    elif kind == 3:
        shown = random.normal(random.uniform(60, 200), 40, shape)
    else:  # The other image is a part of this frame, enlarged, upside down and in other colours.
        corner = frames[index][: shape[0] // 3, : shape[1] // 3][::-1, :, random.permutation(3)]
        shown = cv2.resize(np.ascontiguousarray(corner), shape[1::-1]).astype(np.float64)
    frames[index], labels[index] = np.clip(shown, 0, 255).astype(np.uint8), 0
    return replace(clip, frames=frames, labels=labels)
