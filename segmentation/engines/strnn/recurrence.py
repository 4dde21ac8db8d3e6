"""The spatio-temporal RNN of Lin et al. (DAVIS Challenge 2019), equations 1 and 2, as a scan over anti-diagonals.

    h_d(v, t) = f(U_d x(v, t) + K h_d(v, t-1) + sum over predecessors u of v in DAG d of K_d h_d(u, t) + b_d)
    y(v, t)   = sum over d of V_d h_d(v, t) + c

The four DAGs d run to the southeast, southwest, northeast and northwest. Flipped, all of them run southeast; there the
vertices of one anti-diagonal do not depend on each other, so a frame takes h + w - 1 steps, each for all four at once.
Predecessors of a vertex are its neighbours to the north, the west and the northwest (the 8-neighbourhood of DAG-RNN,
Shuai et al. 2018, which the paper builds on), all with the same K_d; the temporal K is shared by the four DAGs.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# for southeast, southwest, northeast, northwest: the axes of [.., h, w] to flip
FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


class SpatioTemporalRNN(nn.Module):
    """Adds context to the features of a frame, from the frame itself and from the hidden state of the previous frame.

    f is tanh. The paper does not name it; a bounded function cannot grow over the hundreds of steps of a path.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        directions = len(FLIPS)
        self.U = nn.Parameter(torch.empty(directions, hidden, inputs))
        self.Ks = nn.Parameter(torch.empty(directions, hidden, hidden))  # K_d
        self.Kt = nn.Parameter(torch.empty(hidden, hidden))  # K
        self.V = nn.Parameter(torch.empty(directions, outputs, hidden))
        self.b = nn.Parameter(torch.zeros(directions, hidden))
        self.c = nn.Parameter(torch.zeros(outputs))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights uniformly within 1 / sqrt(number of terms); the recurrent ones are small enough to be stable."""
        directions, hidden, inputs = self.U.shape
        for parameter, terms in ((self.U, inputs), (self.V, directions * hidden), (self.Ks, 9 * hidden)):
            nn.init.uniform_(parameter, -1 / math.sqrt(terms), 1 / math.sqrt(terms))
        nn.init.uniform_(self.Kt, -0.5 / math.sqrt(hidden), 0.5 / math.sqrt(hidden))

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run one frame.

        Args:
            x: [inputs, h, w].
            state: the state that the call for the previous frame returned; None = there is none (h_d(v, t-1) = 0).

        Returns:
            y [outputs, h, w] and the state [4, h + w - 1, h, hidden]: hidden states by anti-diagonal and row of the
            flipped grids, zero outside the frame.
        """
        _, height, width = x.shape
        terms = self.U.flatten(0, 1) @ x.flatten(1) + self.b.view(-1, 1)  # [4 * hidden, h * w]
        terms = terms.view(len(FLIPS), -1, height, width)
        flipped = torch.stack([part.flip(axes) for part, axes in zip(terms, FLIPS, strict=True)])
        skewed = skew(flipped).permute(0, 3, 2, 1).contiguous()  # [4, D, h, hidden], D = h + w - 1
        if state is not None:
            skewed = skewed + state @ self.Kt.t()
        inside = skew(x.new_ones(1, 1, height, width))[0, 0].t()[:, :, None]  # [D, h, 1]
        state = self._scan(skewed, inside)
        hidden = unskew(state.permute(0, 3, 2, 1), width)  # [4, hidden, h, w], still flipped
        upright = torch.cat([part.flip(axes) for part, axes in zip(hidden, FLIPS, strict=True)])  # [4 * hidden, h, w]
        y = (self.V.transpose(0, 1).flatten(1) @ upright.flatten(1)).view(-1, height, width)
        return y + self.c[:, None, None], state

    def _scan(self, terms: Tensor, inside: Tensor) -> Tensor:
        """Compute the hidden states, one anti-diagonal after the other, from the terms without the spatial sum."""
        recurrent = self.Ks.transpose(1, 2)
        last = before_last = torch.zeros_like(terms[:, 0])  # [4, h, hidden]
        states = []
        for diagonal in range(terms.shape[1]):
            # West of row i lies row i of the last diagonal, north row i - 1; northwest row i - 1 of the one before it.
            spatial = last + _down(last) + _down(before_last)
            new = torch.tanh(terms[:, diagonal] + torch.bmm(spatial, recurrent)) * inside[diagonal]
            before_last, last = last, new
            states.append(new)
        return torch.stack(states, dim=1)


def _down(rows: Tensor) -> Tensor:
    """Shift the rows of [4, h, hidden] down by one; row 0 becomes zero."""
    return F.pad(rows[:, :-1], (0, 0, 1, 0))


def skew(x: Tensor) -> Tensor:
    """Move row i of [..., h, w] by i cells to the right.

    In the result [..., h, h + w - 1], column s is the anti-diagonal i + j = s.
    """
    *lead, height, width = x.shape
    flat = F.pad(x, (0, height)).flatten(-2)  # rows of h + w cells ...
    return flat[..., :-height].reshape(*lead, height, height + width - 1)  # ... read as rows of one cell less


def unskew(x: Tensor, width: int) -> Tensor:
    """Undo `skew`: [..., h, h + w - 1] -> [..., h, w]."""
    *lead, height, _ = x.shape
    flat = F.pad(x.reshape(*lead, -1), (0, height))
    return flat.view(*lead, height, height + width)[..., :width]
