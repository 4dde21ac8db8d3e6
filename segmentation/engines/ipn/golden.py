"""Computes arrays with our implementation of IPN, which are compared with those of the official code (golden arrays).

The golden arrays are intermediate results for each object (`obj*`), and the masks of two rounds of object 1 as the
official demo runs them (`loop.*`). In the demo the weighted average of rounds has no effect, because the masks of the
previous round are an alias of the current masks. So `loop.*` is computed without the average. The engine does average,
as the paper says, so its masks of a second round differ from `loop.r1.all_E` and `loop.r1.masks`.

Propagation uses the mask of the adjacent frame rounded to 0 or 1, so small errors decide a pixel whose probability is
about 0.5. If our rounded mask agrees with the golden mask within the tolerance, the golden mask is used, otherwise ours
(`carried`). So an error that is larger than the tolerance shows in all later arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segmentation.engines.ipn.fusion import reach, round_weight
from segmentation.engines.ipn.network import Estimate, Inet, Pnet
from segmentation.evaluation.golden.case import Array, Case, GoldenError, carried, full, sampled
from segmentation.evaluation.golden.single import FIRST, SECOND, frames_of, scribbles_of

GAIN = 0.7  # Scale of the made-up weights with which both networks are filled.
CONFIDENT = 0.9  # Probability inside the previous mask from which the golden arrays `I1.*` are computed.
LOSS_GUARD = 1e-3  # The official code adds it to the number of items, so that its loss is the mean / 1.001.


def compute(case: Case) -> Iterator[tuple[str, Array]]:
    _check_weights(case)
    inet, pnet = Inet(), Pnet()
    case.fill(inet, GAIN)
    case.fill(pnet, GAIN, offset=1)
    for object_id in range(1, case.num_objects + 1):
        for name, array in _stages(case, inet, pnet, object_id):
            yield f"obj{object_id}.{name}", array
    yield from _loop(case, inet, pnet)


def _stages(case: Case, inet: Inet, pnet: Pnet, object_id: int) -> Iterator[tuple[str, Array]]:
    frames = frames_of(case)
    frame, neighbour = frames[FIRST : FIRST + 1], frames[FIRST + 1 : FIRST + 2]
    positive, negative = scribbles_of(case, FIRST, object_id)
    yield "scribble_dilated", (2 * positive + negative - 1).numpy()  # 1 = own scribble, 0 = other scribble, -1 = none
    scribbles = [positive[None], negative[None]]
    truth = torch.from_numpy(case.labels[FIRST] == object_id).float()[None]

    first = inet(frame, torch.zeros_like(truth), *scribbles)
    yield from _first_interaction(inet, frame, first, scribbles)
    again = inet(frame, CONFIDENT * truth, *scribbles)
    yield from full("I1.em", again.probability)
    yield from full("I1.p2", again.logits[1])
    yield from full("I1.r5", again.reference, 16, 1, 1)

    earlier = pnet.aggregate(None, first.reference)
    stored = case.stored(f"obj{object_id}.I0.em", first.probability.shape)
    rounded = _rounded(first.probability, None if stored is None else stored.round())
    moved = pnet(neighbour, earlier, torch.zeros_like(truth), rounded)
    yield from full("P0.p2", moved.logits[1])
    yield from full("P0.em", moved.probability)
    yield from full("P0.r5", moved.reference, 16, 1, 1)
    yield "P0.aref_is_cref", np.array(torch.equal(earlier, first.reference))
    mixed = pnet.aggregate(earlier, again.reference)
    second = pnet(neighbour, mixed, moved.probability, truth)
    yield from full("P1.sefa", mixed, 16, 1, 1)
    yield from full("P1.p2", second.logits[1])
    yield from full("P1.em", second.probability)


def _first_interaction(
    inet: Inet, frame: Tensor, first: Estimate, scribbles: list[Tensor]
) -> Iterator[tuple[str, Array]]:
    region = first.region
    yield "I0.box_yxhw", region.boxes.numpy()
    yield "I0.theta", region.theta.numpy()
    yield "I0.bw_grid", sampled(region.backward_grid, 16, 16, 1)
    cues = torch.stack([torch.zeros_like(scribbles[0]), *scribbles], dim=1)
    r2, _, r4, r5 = inet.Encoder(region.sample(frame), region.sample(cues))
    yield from full("I0.r5", r5, 16, 1, 1)
    yield from full("I0.r4", r4, 16, 2, 2)
    yield from full("I0.r2", r2, 16, 8, 8)
    for scale, logits in enumerate(first.logits[1:], start=2):
        yield from full(f"I0.p{scale}", logits)
    yield from full("I0.em", first.probability)
    yield "I0.loss", _loss(first, torch.zeros_like(scribbles[0]))


def _loss(estimate: Estimate, truth: Tensor) -> Array:
    """Return the loss of the official code for N objects [N].

    It is the mean cross-entropy inside the object's region at full size, divided by 1 + LOSS_GUARD.
    """
    target = estimate.region.sample(truth[:, None])[:, 0].round().long()
    losses = F.cross_entropy(estimate.logits[0], target, reduction="none").mean(dim=(1, 2))
    return (losses / (1 + LOSS_GUARD)).numpy()


def _loop(case: Case, inet: Inet, pnet: Pnet) -> Iterator[tuple[str, Array]]:
    """Run two rounds for object 1 as the official demo does, and yield their arrays by name, for the golden table.

    They are the masks, the first and last frame that a round reaches, and the factors by which the masks of a round are
    averaged with those of earlier rounds.

    A round is an interaction, followed by propagation forward and backward up to the frames annotated before.
    """
    frames = frames_of(case)
    length = len(frames)
    estimates = torch.zeros(length, *frames.shape[-2:])
    reference, targets = None, list[int]()
    for index, target in enumerate((FIRST, SECOND)):
        scribbles = [mask[None] for mask in scribbles_of(case, target, 1)]
        answer = inet(frames[target : target + 1], estimates[target : target + 1], *scribbles)
        estimates[target] = answer.probability[0]
        yield f"loop.r{index}.after_interaction", sampled(estimates[target], 2, 2)
        reference = pnet.aggregate(reference, answer.reference)
        left, right = reach(target, targets, length)
        stored = _stored_masks(case, index)
        for step, order in ((-1, range(target + 1, right + 1)), (+1, range(target - 1, left - 1, -1))):
            for t in order:
                neighbour = _rounded(estimates[t + step], None if stored is None else stored[t + step])
                moved = pnet(frames[t : t + 1], reference, estimates[t : t + 1], neighbour[None])
                estimates[t] = moved.probability[0]
        yield f"loop.r{index}.weight", round_weight(target, targets, length)
        yield f"loop.r{index}.ends", np.array([left, right])
        yield f"loop.r{index}.all_E", sampled(estimates, 2, 2)
        yield f"loop.r{index}.masks", np.packbits((estimates > 0.5).numpy())
        targets.append(target)


def _rounded(probability: Tensor, stored: Array | None) -> Tensor:
    """Round a probability map to 0 or 1 for the next propagation. If the golden mask `stored` agrees, return that."""
    return torch.from_numpy(carried(probability.round().numpy(), stored)).float()


def _stored_masks(case: Case, index: int) -> Array | None:
    """Return the golden masks of a round [T, H, W], or None if the golden file has none. `index` counts rounds from 0.

    A round computes each frame only once.
    """
    packed = case.stored(f"loop.r{index}.masks", (-(-case.labels.size // 8),))
    return None if packed is None else np.unpackbits(packed, count=case.labels.size).reshape(case.labels.shape)


def _check_weights(case: Case) -> None:
    """Compare the results of `reach` and `round_weight` (how far a round propagates, and the weight of its masks).

    The results of the official code are in `get_weight_cases.json`. If there is no such file, nothing is compared.

    Raises GoldenError if any result differs.
    """
    for known in case.known("get_weight_cases.json") or ():
        arguments = known["target"], known["prev_targets"], known["num_frames"], known["at_least"]
        ends, weight = reach(*arguments), round_weight(*arguments)
        if ends != (known["left_end"], known["right_end"]) or not np.allclose(weight, known["weight"], atol=1e-9):
            raise GoldenError(f"ipn: weights of {arguments} are {ends} {weight.tolist()}, golden: {known}")
