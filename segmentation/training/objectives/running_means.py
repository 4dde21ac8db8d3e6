"""Means over all masks of a training step: of their losses, and of their soft J (J computed from probabilities)."""

from __future__ import annotations

from torch import Tensor, stack

from segmentation.training.losses import hard_pixels_cross_entropy, soft_jaccard


class RunningMeans:
    """Averages the losses of all calls of `add`: cross-entropy of hard pixels plus `overlap` times (1 - soft J).

    Args:
        keep: the fraction of the pixels, those with the highest loss, that always count; others count while the
            probability of their true label is low (`SURE`). 1 = plain cross-entropy.
    """

    def __init__(self, keep: float, overlap: float) -> None:
        self.keep, self.overlap = keep, overlap
        self._losses: list[Tensor] = []
        self._found: dict[str, list[float]] = {}

    def add(self, name: str, logits: list[Tensor], labels: list[Tensor]) -> None:
        """Add masks: logits [n + 1, H, W] and labels [H, W] of several clips or objects.

        The soft J of all masks that are added under the same `name` is averaged.
        """
        misses = stack([soft_jaccard(a, y) for a, y in zip(logits, labels, strict=True)]).mean()
        self._losses.append(self._cross(logits, labels) + self.overlap * misses)
        self._found.setdefault(name, []).append(1 - float(misses.detach()))

    def add_side(self, logits: list[Tensor], labels: list[Tensor], weight: float) -> None:
        """Add `weight` times the cross-entropy of auxiliary outputs to the loss of the last `add`.

        Auxiliary outputs are used only in training.
        """
        self._losses[-1] = self._losses[-1] + weight * self._cross(logits, labels)

    def result(self) -> tuple[Tensor, dict[str, float]]:
        """Return the mean loss, and the mean soft J of the masks by name."""
        figures = {f"j_{name}": sum(found) / len(found) for name, found in self._found.items()}
        return stack(self._losses).mean(), figures

    def _cross(self, logits: list[Tensor], labels: list[Tensor]) -> Tensor:
        each = [hard_pixels_cross_entropy(a, y, self.keep) for a, y in zip(logits, labels, strict=True)]
        return stack(each).mean()
