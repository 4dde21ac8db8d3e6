"""Closed-form online adaptation (Lin et al. 2019, equation 3): ridge regression solves the last 1x1 convolution.

    W* = argmin |W^T X - Y|^2 + lambda |W|^2 = (X X^T + lambda I)^-1 X Y^T

X [D, S] holds the features of all samples, positive and negative, Y [n, S] their ids as one-hot columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# lambda, relative to the mean diagonal of X X^T, so that it does not depend on the scale; the paper gives no value
RIDGE = 1e-3
SHARPNESS = 10.0  # factor of the scores, which are about 0 or 1, in the softmax


@dataclass(frozen=True, eq=False)
class Samples:
    """Features [S, D] and ids [S] of labelled vertices (cells of the feature grid)."""

    features: Tensor
    ids: Tensor

    @staticmethod
    def joined(parts: Sequence[Samples]) -> Samples:
        return Samples(torch.cat([part.features for part in parts]), torch.cat([part.ids for part in parts]))


def with_bias(features: Tensor) -> Tensor:
    """Append a constant feature, so that the regression has an intercept: [..., D] -> [..., D + 1]."""
    return torch.cat((features, torch.ones_like(features[..., :1])), dim=-1)


def solve(samples: Samples, ids: Sequence[int], ridge: float = RIDGE) -> Tensor:
    """Solve for W [D + 1, n], with one column for each of `ids`. Computed in float64, returned in float32.

    Raises:
        ValueError: there are no samples.
    """
    if not len(samples.ids):
        raise ValueError("samples: there are none to adapt to")
    x = with_bias(samples.features.double())  # [S, D + 1] = X^T
    y = (samples.ids[:, None] == torch.tensor(ids, device=x.device)).double()  # [S, n] = Y^T
    gram = x.t() @ x
    penalty = penalty_of(gram, ridge)
    factor = torch.linalg.cholesky(gram + penalty * torch.eye(len(gram), dtype=gram.dtype, device=gram.device))
    return torch.cholesky_solve(x.t() @ y, factor).float()


def penalty_of(gram: Tensor, ridge: float) -> Tensor:
    """Return lambda of the regression: `ridge` times the mean diagonal of `gram` = X X^T [D, D]."""
    return ridge * gram.diagonal().mean()


def scores(weights: Tensor, features: Tensor) -> Tensor:
    """Return the scores of n ids, [n, h, w], from W [D + 1, n] and features [D, h, w].

    A score is near 1 where a vertex has the id, and near 0 elsewhere.
    """
    depth, height, width = features.shape
    flat = weights[:-1].t() @ features.reshape(depth, -1) + weights[-1][:, None]
    return flat.view(-1, height, width)
