"""Prepares clips for training STAR: features of the frozen trunk, optical flow, and a mask made from scribbles."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.engine import EngineSettings
from segmentation.engines.star.drawing import FrameDrawing
from segmentation.engines.star.features import flow_between, raw_features
from segmentation.frames import ArrayFrames
from segmentation.training import trunk_clips
from segmentation.training.clip_staging import staged
from segmentation.training.clips import Clip
from segmentation.training.synthetic_scribbles import correcting_scribbles, first_scribbles
from segmentation.trunk import load_trunk
from segmentation.types import IGNORE, Interaction

FLOWS = {"back": 0, "forth": 1}  # parts with the flow to the other frame, and their index in a pair of flows
# Names of the parts of a prepared clip.
PARTS = trunk_clips.PARTS | {"colours", "drawn", *FLOWS, *(f"{name}_trust" for name in FLOWS)}
CORRECTED = 0.5  # Probability that the mask made from scribbles is corrected once.
# A mask that was made from scribbles is only used if its mean J with the truth is at least this. Synthetic scribbles
# give worse masks than those of people, and a network that was trained with all of them distrusts right ones.
LEAST_J = 0.55


def prepared(clip: Clip, random: np.random.Generator, max_objects: int, trunk: str = "lite0") -> dict[str, Tensor]:
    """Compute all that stays the same during training for a clip of T frames of H x W pixels.

    The result contains, by name: the features of `Raw`, [T, ...] in half precision, but `colours` as uint8; `labels`,
    the true masks, uint8 [T, H / 2, W / 2]; `drawn`, the mask made from scribbles, of the same size; the flow from each
    frame but the first to the previous frame (`back`) and the reverse flow (`forth`), with `back_trust` and
    `forth_trust` as uint8; and the number of `objects`.
    """
    clip = staged(clip, random, max_objects)
    raw = raw_features(load_trunk(trunk), clip.frames)
    greys = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)) for frame in clip.frames]
    flows = [flow_between(now, before) for before, now in pairwise(greys)]
    parts = {name: part.half() for name, part in raw._asdict().items() if name != "colours"}
    for name, index in FLOWS.items():
        parts[name] = torch.cat([pair[index].back for pair in flows]).half()
        parts[f"{name}_trust"] = (torch.cat([pair[index].trust for pair in flows]) * 255).byte()
    parts["colours"] = (raw.colours * 255).round().byte()
    parts["labels"] = torch.from_numpy(np.ascontiguousarray(clip.labels[:, ::2, ::2]))
    parts["drawn"] = torch.from_numpy(np.ascontiguousarray(drawn_mask(clip, random)[:, ::2, ::2]))
    parts["objects"] = torch.tensor(clip.num_objects)
    return parts


def random_start(random: np.random.Generator, length: int) -> int:
    """Choose at random the frame of a clip that is annotated first: the first, the second or the last of `length`."""
    return int(random.choice([0, 1, length - 1], p=[0.3, 0.45, 0.25]))


def drawn_mask(clip: Clip, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw synthetic scribbles on a random frame, and return the mask that STAR makes from them, in an array [T, H, W].

    All other frames of the array are filled with IGNORE, and so is this frame if it shows no object.
    """
    found = np.full_like(clip.labels, IGNORE)
    t = random_start(random, len(clip.frames))
    scribbles = first_scribbles(random, clip.labels[t], clip.num_objects)
    if not any(scribble.object_id for scribble in scribbles):
        return found
    drawing = FrameDrawing(ArrayFrames(clip.frames), EngineSettings(device="cpu"), torch.device("cpu"))
    labels = drawing.labels(Interaction(t, scribbles), [], None)
    more = correcting_scribbles(random, clip.labels[t], labels, clip.num_objects)
    if more and random.random() < CORRECTED:
        labels = drawing.labels(Interaction(t, more), list(scribbles), labels)
    found[t] = labels
    return found


def usable_drawn_masks(clip: dict[str, Tensor]) -> Tensor:
    """Return the masks of a prepared clip that were made from scribbles and are right enough, uint8 [T, h, w].

    All frames without such a mask are filled with IGNORE.
    """
    truth = clip["labels"]
    drawn = clip["drawn"].clone() if "drawn" in clip else torch.full_like(truth, IGNORE)
    for t in torch.nonzero((drawn != IGNORE).flatten(1).any(1)).flatten().tolist():
        known = truth[t] != IGNORE
        pairs = [((drawn[t] == n) & known, (truth[t] == n) & known) for n in range(1, int(clip["objects"]) + 1)]
        overlaps = [float((own & right).sum() / (own | right).sum()) for own, right in pairs if right.any()]
        if not overlaps or sum(overlaps) / len(overlaps) < LEAST_J:
            drawn[t] = IGNORE
    return drawn
