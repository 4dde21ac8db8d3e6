"""Prepares clips for training networks on the frozen trunk: its features, which stay the same, and true masks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.networks.trunk_backbone import trunk_maps
from segmentation.training.clip_staging import staged
from segmentation.training.clips import Clip
from segmentation.training.plan import Plan
from segmentation.training.stored_clips import ClipStore
from segmentation.types import IGNORE

UNIT = 32  # Clips are cut at multiples of this many pixels, the coarsest stride of the trunk.
STRIDES = {"f4": 4, "f8": 8, "f16": 16, "f32": 32, "labels": 2}  # stride in pixels of each part of a prepared clip
PARTS = frozenset({*STRIDES, "objects"})  # names of the parts of a prepared clip
AT_OBJECT = 0.9  # Probability that a window is placed so that it contains a part of an object in some frame.

PreparedClip = dict[str, Tensor]


def clips_on_trunk(
    plan: Plan, trunk: str, clips: int, features: Path | None
) -> tuple[Callable[[Clip, np.random.Generator], PreparedClip], ClipStore | None]:
    """Return the function that prepares the clips of a plan on the trunk `trunk`, and the store that keeps them.

    There is no store without a folder `features`. `clips` is the number of different clips.
    """
    most = most_objects(plan)
    return partial(prepared, max_objects=most, trunk=trunk), store_of_clips(features, trunk, most, clips, PARTS)


def store_of_clips(
    features: Path | None, trunk: str, max_objects: int, clips: int, parts: frozenset[str]
) -> ClipStore | None:
    """Return the store of prepared clips in the folder `features`; None without a folder.

    Each trunk and each `max_objects` (the largest number of objects in a clip) has a folder of its own in `features`.
    """
    if features is None:
        return None
    return ClipStore(features / f"{trunk}-objects-{max_objects}", clips, parts)


def refuse_features(plan: Plan, features: Path | None) -> None:
    """Raise ValueError if a folder for features is given to a plan whose clips have no features of a trunk."""
    if features is not None:
        raise ValueError(
            f"--features says nothing to {plan.engine} with this plan, which computes no features of a frozen trunk "
            "in advance: leave it out"
        )


def most_objects(plan: Plan) -> int:
    return max(stage.clips.max_objects for stage in plan.stages)


def prepared(clip: Clip, random: np.random.Generator, max_objects: int, trunk: str = "lite0") -> PreparedClip:
    """Compute the trunk's features of a clip of T frames of H x W pixels, which must be multiples of 32.

    The result contains, by name: the features of `TrunkMaps`, [T, ...] in half precision; `labels`, the true masks,
    uint8 [T, H / 2, W / 2]; and the number of `objects`. Stored clips of STAR contain the same parts and more.
    """
    clip = staged(clip, random, max_objects)
    images = torch.tensor(clip.frames).permute(0, 3, 1, 2).float() / 255
    parts = {name: part.half() for name, part in trunk_maps(trunk, images)._asdict().items()}
    parts["labels"] = torch.from_numpy(np.ascontiguousarray(clip.labels[:, ::2, ::2]))
    parts["objects"] = torch.tensor(clip.num_objects)
    return parts


def windows_of(clip: PreparedClip, size: tuple[int, int], random: np.random.Generator) -> PreparedClip:
    """Cut the same window out of all frames of a prepared clip, and mirror it left to right in half of the cases.

    `size` are the rows and columns of the window in units of 32 pixels. A window is not larger than the frames.
    """
    rows, columns = clip["f32"].shape[-2:]
    height, width = min(size[0], rows), min(size[1], columns)
    y, x = int(random.integers(rows)), int(random.integers(columns))
    t = int(random.integers(len(clip["labels"])))
    small = F.max_pool2d((clip["labels"][t] * (clip["labels"][t] != IGNORE))[None].float(), UNIT // 2)[0]
    seen = torch.nonzero(small)
    if len(seen) and random.random() < AT_OBJECT:
        y, x = (int(side) for side in seen[int(random.integers(len(seen)))])
    top = int(np.clip(round(y - random.uniform(0.2, 0.8) * height), 0, rows - height))
    left = int(np.clip(round(x - random.uniform(0.2, 0.8) * width), 0, columns - width))
    mirrored = random.random() < 0.5
    found = {"objects": clip["objects"]}
    for name, stride in STRIDES.items():
        part, factor = clip[name], UNIT // stride
        part = part[..., top * factor : (top + height) * factor, left * factor : (left + width) * factor]
        found[name] = part.flip(-1) if mirrored else part
    return found
