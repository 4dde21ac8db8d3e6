"""Distance maps of MA-Net: how far the embedding of each pixel is from the nearest pixel with a known object id.

See FEELVOS (CVPR 2019) and MA-Net (CVPR 2020, equations 1, 2, 4, 7). The global map compares a frame with the labelled
pixels of an annotated frame, the local map with the pixels near it in the adjacent frame. Distances are
d(p, q) = 1 - 2 / (1 + exp(|e_p - e_q|^2)) = tanh(|e_p - e_q|^2 / 2), in 0..1; 1 also means that no pixel has the id.
Both maps are computed by matrix products over small blocks: |e_p - e_q|^2 = |e_p|^2 + |e_q|^2 - 2 e_p.e_q, so that the
arrays [pixels x labelled pixels] and [pixels x offsets x channels] never exist as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.networks.nearest import NearestReference, tiled_order

_TILE = 32  # Columns of a frame in a block of the local map; in a wider block more products are outside the window.
_OUTSIDE = 1e4  # The squared distance to pixels outside the frame: tanh(5000) is exactly 1.


def squared_distance(squared: Tensor) -> Tensor:
    """Map squared Euclidean distances of embeddings to 0..1 (equation 1 of MA-Net), in place."""
    return squared.clamp_min_(0).mul_(0.5).tanh_()


class References:
    """R embeddings of pixels whose object ids are known, with which the pixels of any frame are compared.

    Args:
        cells: the embeddings, [R, C], R >= 0.
        labels: the object id of each, int [R]; 0 is the background.
    """

    def __init__(self, cells: Tensor, labels: Tensor) -> None:
        self._nearest = {label: NearestReference(cells[labels == label]) for label in torch.unique(labels).tolist()}

    def distances(self, query: Tensor, ids: Sequence[int]) -> Tensor:
        """Return the global matching map (MA-Net, equation 2) of a frame with the embedding `query` [C, h, w].

        It is float32 [len(ids), h, w]: for each of `ids`, the distance of each pixel to the nearest of the R embeddings
        with that id, 0..1; 1 if there is none.
        """
        _, height, width = query.shape
        order = tiled_order(height, width).to(query.device)
        flat = query.flatten(1).t().float()[order]
        out = torch.ones(len(ids), height * width, device=query.device)
        for row, label in enumerate(ids):
            if label in self._nearest:
                out[row, order] = squared_distance(self._nearest[label].squared(flat))
        return out.view(len(ids), height, width)


def local_distances(query: Tensor, previous: Tensor, labels: Tensor, ids: Sequence[int], window: int) -> Tensor:
    """Return the local matching map (MA-Net, equations 4 and 7) of a frame, compared with the adjacent frame.

    It tells, for each id, the distance of each pixel to the nearest embedding of that id within a window of the
    adjacent frame. Distances are computed at half size, for offsets of up to `window` pixels there, and resized
    (bilinear, corner aligned) to the full size, where the ids are looked up at twice the offset. Pixels outside the
    frame have id 0 and distance 1.

    Args:
        query, previous: embeddings [C, h, w] of the frame and of the adjacent frame, h and w >= 2.
        labels: the object ids of the pixels of the adjacent frame, int [h, w].
        ids: the object ids to compare with.
        window: k of the paper, >= 0.

    Returns:
        float32 [len(ids), h, w] in 0..1.
    """
    height, width = labels.shape
    out = torch.ones(len(ids), height, width, device=query.device)
    reach = 2 * window
    padded = F.pad(labels, (reach,) * 4)  # [h + 4k, w + 4k]
    penalties = [(padded != label).float() for label in ids]  # 0 for pixels with the id, else 1, the largest distance
    present = [bool((penalty == 0).any()) for penalty in penalties]
    for step, distances in enumerate(offset_rows(query, previous, window)):
        for row, penalty in enumerate(penalties):
            if present[row]:
                # [2k + 1, h, w]: the penalties at this row of offsets, without a copy
                seen = penalty[2 * step : 2 * step + height].unfold(1, width, 2).permute(1, 0, 2)
                torch.minimum(out[row], torch.maximum(distances, seen).amin(0), out=out[row])
    return out


def offset_rows(query: Tensor, previous: Tensor, window: int) -> Iterator[Tensor]:
    """Yield the distances of each pixel of `query` to the pixels of `previous` at all offsets, row by row.

    For each vertical offset -window..window these are the distances at all horizontal offsets, [2 * window + 1, h, w].
    """
    size = query.shape[-2:]
    for distances in _half_rows(query, previous, window):
        yield F.interpolate(distances[None], size=size, mode="bilinear", align_corners=True)[0]


def _half_rows(query: Tensor, previous: Tensor, window: int) -> Iterator[Tensor]:
    """Yield the distances of `offset_rows` before they are resized, [2 * window + 1, h/2, w/2] each."""
    blocks = _window_blocks(_half(query), _half(previous), window)  # [tiles, h/2, tile, 2k + 1, tile + 2k]
    tiles, height, tile, span, _ = blocks.shape
    width = query.shape[2] // 2
    # A step in x moves both the pixel of `query` and its window.
    strides = (blocks.stride(2) + 1, blocks.stride(0), blocks.stride(1))
    for step in range(span):
        band = blocks[:, :, :, step].as_strided(  # [2k + 1, h/2, tiles, tile]
            (span, height, tiles, tile), (1, strides[2], strides[1], strides[0]), blocks[:, :, :, step].storage_offset()
        )
        yield squared_distance(band.reshape(span, height, tiles * tile)[:, :, :width].contiguous())


def _half(embedding: Tensor) -> Tensor:
    return F.avg_pool2d(embedding.float()[None], 2)[0]  # An odd last row or column is dropped.


def _window_blocks(query: Tensor, previous: Tensor, window: int) -> Tensor:
    """Return the squared distances between the pixels of `query` and the pixels of `previous` within a window.

    The columns of `query` are divided into tiles of _TILE columns. The result is [tiles, h, tile, 2k + 1, tile + 2k]
    with k = `window`: by tile, row and column in the tile, then by row of the window and column of the tile and its
    margins.
    """
    channels, height, width = query.shape
    tiles = -(-width // _TILE)
    span, columns = 2 * window + 1, _TILE + 2 * window
    rest = tiles * _TILE - width
    left = torch.cat((query * -2, query.square().sum(0, keepdim=True), torch.ones_like(query[:1])))
    left = F.pad(left, (0, rest)).permute(1, 2, 0).reshape(height, tiles, _TILE, channels + 2).transpose(0, 1)
    right = torch.cat((previous, torch.ones_like(previous[:1]), previous.square().sum(0, keepdim=True)))
    right = F.pad(right, (window, window + rest, window, window))
    right[channels + 1] += _OUTSIDE * _border(height, width, window, rest, right.device)
    tiled = right.unfold(2, columns, _TILE).permute(2, 1, 3, 0).contiguous()  # [tiles, h + 2k, tile + 2k, C + 2]
    row = columns * (channels + 2)
    stacked = (
        tiled.as_strided(  # [tiles, h, (2k + 1) * (tile + 2k), C + 2]: 2k + 1 rows below each other are contiguous
            (tiles, height, span * columns, channels + 2), (tiled.stride(0), row, channels + 2, 1)
        )
    )
    product = torch.empty(tiles, height, _TILE, span * columns, device=query.device)
    # Tiles are multiplied separately, because a product over the overlapping rows of several tiles would copy them.
    for tile in range(tiles):
        torch.bmm(left[tile], stacked[tile].transpose(1, 2), out=product[tile])
    return product.view(tiles, height, _TILE, span, columns)


def _border(height: int, width: int, window: int, rest: int, device: torch.device) -> Tensor:
    inside = torch.zeros(height, width, device=device)
    return F.pad(inside, (window, window + rest, window, window), value=1.0)
