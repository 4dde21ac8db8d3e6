"""Classifiers that are fitted to a video in closed form: ridge regression from the sums of the annotated frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.classical.appearance import BIASES, TEXTURE_LAMBDA, WEIGHTS

LARGEST = 1.5  # of a score: what is surer than sure says no more


class Sums(NamedTuple):
    """X D X^T and X D y over the pixels of one or more frames, for each of N objects. Sums of frames are added."""

    gram: Tensor  # [N, E, E]
    moment: Tensor  # [N, E]

    @classmethod
    def of(cls, features: Tensor, target: Tensor, weight: Tensor, clip: Tensor) -> Sums:
        """Sums of one frame. In float32: half precision cannot be solved.

        Args:
            features: X of B frames, [B, E, P].
            target: y, [N, P] in -1..1.
            weight: the diagonal D, [N, P]; object and background come to count the same, together 1.
            clip: which of the B frames an object is in, [N], ascending.
        """
        for side in (target > 0, target <= 0):
            total = (weight * side).sum(1, keepdim=True).clamp_min(1e-6)
            weight = torch.where(side, weight * (0.5 / total), weight)
        with torch.autocast(features.device.type, enabled=False):
            grams, moments = [], []
            for b, own in enumerate(features.float()):
                here = clip == b
                weighted = own * weight[here].float()[:, None]
                grams.append(weighted @ own.T)
                moments.append((weighted @ target[here].float()[..., None])[..., 0])
            return cls(torch.cat(grams), torch.cat(moments))


def solve(sums: Sequence[Sums], ridge: float, *, relative: bool = False) -> Tensor:
    """W = (X D X^T + lambda I)^-1 X D y, [N, E]; a relative lambda is multiplied by the mean of the diagonal."""
    gram = torch.stack([part.gram for part in sums]).mean(0)
    moment = torch.stack([part.moment for part in sums]).mean(0)
    diagonal = gram.diagonal(dim1=1, dim2=2)
    scale = diagonal.mean(1, keepdim=True) if relative else torch.ones_like(diagonal[:, :1])
    # Not checked: the ridge makes it positive definite, and what is no number is to come out as such.
    lower = torch.linalg.cholesky_ex(gram + torch.diag_embed((ridge * scale).expand_as(diagonal))).L
    return torch.cholesky_solve(moment[..., None], lower)[..., 0]


def score(features: Tensor, classifier: Tensor, clip: Tensor) -> Tensor:
    """Features of B frames [B, E, h, w] under the classifier of each object [N, E] -> [N, 1, h, w]."""
    flat = features.flatten(2)
    found = torch.cat([classifier[clip == b].to(flat.dtype) @ flat[b] for b in range(len(flat))])
    return found.unflatten(1, (1, *features.shape[-2:])).clamp(-LARGEST, LARGEST)


def texture(pixel_features: Tensor) -> Tensor:
    """Looks [B, CHANNELS, h, w] -> a fixed random layer of rectified units over them [B, UNITS + 1, h, w].

    The features of `classical.appearance.TextureModel`.
    """
    weights = torch.from_numpy(WEIGHTS).to(pixel_features.device, pixel_features.dtype)
    biases = torch.from_numpy(BIASES).to(pixel_features.device, pixel_features.dtype)
    lifted = F.relu(F.conv2d(pixel_features, weights.T[..., None, None], biases))
    return torch.cat([lifted, torch.ones_like(lifted[:, :1])], dim=1)


def texture_classifier(sums: Sequence[Sums]) -> Tensor:
    return solve(sums, TEXTURE_LAMBDA, relative=True)
