"""Fits the last layer of ST-RNN, a 1x1 convolution, to known pixels by ridge regression (Lin et al. 2019, equation 3).

The paper calls this closed-form online adaptation.

    W* = argmin |W^T X - Y|^2 + lambda |W|^2 = (X X^T + lambda I)^-1 X Y^T

Samples are cells of the feature map whose ids are known from scribbles, or from masks that a person accepted or
painted. X [D, S] are the features of S samples, Y [n, S] their ids as one-hot columns, W [D, n] the weights of the
layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# lambda, relative to the mean diagonal of X X^T, so that it does not depend on the scale. The paper gives no value.
RIDGE = 1e-3
SHARPNESS = 10.0  # Factor of the scores, which are about 0 or 1, in the softmax.


@dataclass(frozen=True, eq=False)
class Samples:
    """S cells of feature maps for which the object is known: their features [S, D] and the ids [S] of their objects."""

    features: Tensor
    ids: Tensor

    @staticmethod
    def joined(parts: Sequence[Samples]) -> Samples:
        return Samples(torch.cat([part.features for part in parts]), torch.cat([part.ids for part in parts]))


def with_bias(features: Tensor) -> Tensor:
    """Append a feature that is always 1, so that the regression has an intercept. Return [..., D + 1]."""
    return torch.cat((features, torch.ones_like(features[..., :1])), dim=-1)


def solve(samples: Samples, ids: Sequence[int], ridge: float = RIDGE) -> Tensor:
    """Fit the weights W of the last layer to samples. Return float32 [D + 1, n], with a column for each of n `ids`.

    The last row is the intercept. `ridge` is lambda relative to the mean diagonal of X X^T. It is computed in float64.

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
    """Return lambda of the regression: `ridge` times the mean diagonal of `gram`, which is X X^T, [D, D]."""
    return ridge * gram.diagonal().mean()


def scores(weights: Tensor, features: Tensor) -> Tensor:
    """Apply the last layer: return the scores of n ids, [n, h, w], from W [D + 1, n] and features [D, h, w].

    A score is near 1 where a cell has the id, and near 0 elsewhere.
    """
    depth, height, width = features.shape
    flat = weights[:-1].t() @ features.reshape(depth, -1) + weights[-1][:, None]
    return flat.view(-1, height, width)
