"""Trains the first stage of MA-Net on clips whose features of the frozen trunk are stored.

Each clip is cut to a window. Its first frame is annotated, and the frames from the third on are segmented one after the
other, beginning with the second frame, whose mask is given, sometimes with errors. So the annotated frame may be far
away, as it is in a video. The embedding is also trained directly: a loss tells how well the masks of a frame follow
from its distances to the pixels of another frame.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.manet.network import MANet
from segmentation.engines.manet.training_step import Result, StepOptions, TrainingStep
from segmentation.networks.trunk_backbone import TrunkMaps, joined
from segmentation.training.objectives.batch import LabelBatch, on_grid
from segmentation.training.synthetic_scribbles import first_scribbles
from segmentation.training.trunk_clips import PreparedClip, windows_of
from segmentation.types import IGNORE

WINDOWS = ((5, 8), (6, 10), (9, 16))  # Sizes of the window that is cut out of clips, in units of 32 pixels.
USED = (0.7, 0.25, 0.05)  # Probability of each of these sizes.
LOST = 0.1  # Probability that the mask from which the propagation begins is empty.
NEAR = 0.4  # Probability that the frame from which the propagation begins is annotated too.
SAMPLED = 384  # Number of pixels of an embedding that are compared in the loss of the embedding.
REFERENCES = 2048  # Largest number of pixels with which they are compared.
SHARPNESS = 8.0  # Factor of squared distances in the softmax of this loss.


class TrunkPropagation(TrainingStep):
    """A step of the first stage on stored features, which trains the embedding and the propagation head."""

    cell = 2  # Stored masks have half the size of the frames.

    def __init__(
        self, network: MANet, clips: list[PreparedClip], options: StepOptions, random: np.random.Generator
    ) -> None:
        device = next(network.parameters()).device
        size = WINDOWS[int(random.choice(len(WINDOWS), p=USED))]
        cut = [windows_of({name: part.to(device) for name, part in clip.items()}, size, random) for clip in clips]
        labels = torch.stack([clip["labels"] for clip in cut])
        super().__init__(network, LabelBatch(labels, [int(clip["objects"]) for clip in cut]), options, random)
        self.features = TrunkMaps(*(torch.cat([clip[name].float() for clip in cut]) for name in TrunkMaps._fields))

    def play(self) -> Result:
        with self.mixed():
            embedded = self.network.embed_features(*joined(self.features))
        embeddings = embedded.float().unflatten(0, self.batch.labels.shape[:2])  # [B, T, C, h, w]
        matching = [loss for b in range(len(self.ids)) if (loss := self._matching(b, embeddings[b])) is not None]
        references = [self._references(b, e) for b, e in enumerate(embeddings)]
        found = self._begin()
        for t in range(2, self.batch.length):
            maps = [
                self.distance_maps(e[t], e[t - 1], reference, labels, ids)
                for e, reference, labels, ids in zip(embeddings, references, found, self.ids, strict=True)
            ]
            logits = self.propagate(embeddings[:, t], maps, list(found))
            found = on_grid(self.note(logits, t, f"step_{t}")[:, None], self.size)[:, 0]
        loss, figures = self.means.result()
        if matching:
            mean = torch.stack(matching).mean()
            loss, figures = loss + mean, {**figures, "matching": float(mean.detach())}
        return loss, figures

    def _begin(self) -> Tensor:
        """Return the masks of the second frames from which the propagation begins, int64 [B, h, w].

        They have random errors with the probability `damaged`, and are sometimes empty.
        """
        masks = on_grid(self.damaged(1)[:, None], self.size)[:, 0]
        chances = self.random.random((len(self.ids), 2))
        for b, (lost, damaged) in enumerate(chances):
            if lost < LOST:
                masks[b] = 0
            elif damaged >= self.options.damaged:
                masks[b] = self.cells[b, 1]
        return masks

    def _references(self, b: int, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings [R, C] and ids [R] of the annotated pixels of clip b.

        They are those of the first frame, and sometimes also those of the second. `embedding` is [T, C, h, w].
        """
        worn = on_grid(self.damaged(0)[:, None], self.size)[b, 0]
        first = worn if self.random.random() < self.options.damaged else self.cells[b, 0]
        strokes = first_scribbles(self.random, self.batch.labels[b, 0].cpu().numpy(), self.batch.objects[b])
        parts = [self.annotated_cells(embedding[0], self.reference(b, first, strokes))]
        if self.random.random() < NEAR:
            parts.append(self.annotated_cells(embedding[1], self.reference(b, self.cells[b, 1], ())))
        cells, ids = zip(*parts, strict=True)
        return torch.cat(cells), torch.cat(ids)

    def _matching(self, b: int, embedding: Tensor) -> Tensor | None:
        """Return the loss of the embedding for two random frames of clip b; None if there is nothing to compare.

        Pixels of one frame are compared with those of the other. A softmax of the negative squared distances says which
        ids they have, and the loss is the cross-entropy of these. `embedding` is [T, C, h, w].
        """
        s, t = (int(i) for i in self.random.choice(self.batch.length, 2, replace=False))
        memory, labels = (part.flatten(-2) for part in (embedding[s], self.cells[b, s]))
        query, wanted = (part.flatten(-2) for part in (embedding[t], self.cells[b, t]))
        known = self._some(torch.nonzero(labels != IGNORE).flatten(), REFERENCES)
        inside = torch.nonzero((wanted > 0) & (wanted != IGNORE)).flatten()
        anywhere = torch.nonzero(wanted != IGNORE).flatten()
        if not len(known) or not len(inside) or not bool((labels[known] > 0).any()):
            return None
        chosen = torch.cat([self._some(inside, SAMPLED // 2), self._some(anywhere, SAMPLED // 2)])
        distances = torch.cdist(query[:, chosen].T[None], memory[:, known].T[None])[0].square()
        shares = torch.nn.functional.one_hot(labels[known], len(self.ids[b])).to(distances.dtype)
        read = torch.softmax(-SHARPNESS * distances, dim=1) @ shares  # [SAMPLED, n]
        return -read.gather(1, wanted[chosen][:, None]).clamp_min(1e-4).log().mean()

    def _some(self, where: Tensor, most: int) -> Tensor:
        """Return at most `most` random entries of `where`, without repetition."""
        return where[torch.from_numpy(self.random.permutation(len(where))[:most]).to(where.device)]
