"""The spatio-temporal RNN of Lin et al. (DAVIS Challenge 2019), equations 1 and 2, computed by anti-diagonals.

    h_d(v, t) = f(U_d x(v, t) + K h_d(v, t-1) + sum over predecessors u of v in DAG d of K_d h_d(u, t) + b_d)
    y(v, t)   = sum over d of V_d h_d(v, t) + c

Here v is a cell of the feature map of frame t, x its features, h_d a hidden state and y the output. The four directed
acyclic graphs (DAGs) d run to the southeast, southwest, northeast and northwest. If the maps are flipped, all of them
run southeast. There the cells of an anti-diagonal do not depend on each other, so that a frame takes h + w - 1 steps,
each for all four DAGs at once. Predecessors of a cell are its neighbours to the north, the west and the northwest (the
8-neighbourhood of DAG-RNN, Shuai et al. 2018, on which the paper builds), all with the same K_d. The four DAGs share
the temporal K.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# For southeast, southwest, northeast and northwest: the axes of [.., h, w] to flip.
FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


class SpatioTemporalRNN(nn.Module):
    """Adds context to the features of a frame, from the frame itself and from the hidden state of the previous frame.

    The function f of the equations is tanh. The paper does not name it; the states of a bounded function cannot grow
    over the hundreds of steps of a frame.
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
        """Draw the weights at random, uniformly within 1 / sqrt(number of terms); recurrent weights are smaller."""
        directions, hidden, inputs = self.U.shape
        for parameter, terms in ((self.U, inputs), (self.V, directions * hidden), (self.Ks, 9 * hidden)):
            nn.init.uniform_(parameter, -1 / math.sqrt(terms), 1 / math.sqrt(terms))
        nn.init.uniform_(self.Kt, -0.5 / math.sqrt(hidden), 0.5 / math.sqrt(hidden))

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute the outputs and the hidden states of a frame.

        Args:
            x: the features of the frame, [inputs, h, w].
            state: the state that the call for the previous frame returned; None = there is none (h_d(v, t-1) = 0).

        Returns:
            The output y, [outputs, h, w], and the state, [4, h + w - 1, h, hidden]: the hidden states by DAG,
            anti-diagonal and row of the flipped maps, zero outside the frame.
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
        """Compute the hidden states, one anti-diagonal after the other: [4, D, h, hidden] for D anti-diagonals.

        `terms` [4, D, h, hidden] are the arguments of f without the sum over predecessors; `inside` [D, h, 1] is 1 for
        cells inside the frame.
        """
        recurrent = self.Ks.transpose(1, 2)
        last = before_last = torch.zeros_like(terms[:, 0])  # [4, h, hidden]
        states = []
        for diagonal in range(terms.shape[1]):
            # For a cell in row i, the cell to the west is in row i of the last anti-diagonal, the cell to the north in
            # row i - 1 of it, and the cell to the northwest in row i - 1 of the anti-diagonal before that.
            spatial = last + _down(last) + _down(before_last)
            new = torch.tanh(terms[:, diagonal] + torch.bmm(spatial, recurrent)) * inside[diagonal]
            before_last, last = last, new
            states.append(new)
        return torch.stack(states, dim=1)


def _down(rows: Tensor) -> Tensor:
    """Shift the rows of [4, h, hidden] down by one. Row 0 becomes zero."""
    return F.pad(rows[:, :-1], (0, 0, 1, 0))


def skew(x: Tensor) -> Tensor:
    """Move row i of [..., h, w] by i cells to the right.

    In the result [..., h, h + w - 1], column s is the anti-diagonal i + j = s.
    """
    *lead, height, width = x.shape
    flat = F.pad(x, (0, height)).flatten(-2)  # Rows of h + w cells ...
    return flat[..., :-height].reshape(*lead, height, height + width - 1)  # ... are read as rows of h + w - 1 cells.


def unskew(x: Tensor, width: int) -> Tensor:
    """Undo `skew`: turn [..., h, h + w - 1] into [..., h, w]."""
    *lead, height, _ = x.shape
    flat = F.pad(x.reshape(*lead, -1), (0, height))
    return flat.view(*lead, height, height + width)[..., :width]
