"""Tests how STAR's probability maps are enlarged to masks at the size of the video."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.star.labels import draw_labels
from segmentation.types import BinaryMask, Image


def _picture(shapes: dict[int, BinaryMask]) -> Image:
    """Return a frame in which every object has a colour of its own, with a little noise."""
    some = next(iter(shapes.values()))
    picture = np.full((*some.shape, 3), 60, np.int64)
    for number, shape in shapes.items():
        picture[shape] = (200, 40 * number, 30)
    return (picture + np.random.default_rng(0).integers(-4, 5, picture.shape)).clip(0, 255).astype(np.uint8)


def _maps(shapes: dict[int, BinaryMask], factor: int) -> Tensor:
    """Return probability maps at 1 / `factor` of the size: the share that background and objects have in each cell."""
    own = [torch.from_numpy(shape)[None].float() for shape in shapes.values()]
    maps = torch.cat([torch.nn.functional.avg_pool2d(part, factor) for part in own])
    return torch.cat([1 - maps.sum(0, keepdim=True), maps])


def test_a_region_keeps_its_place_and_its_id() -> None:
    shapes = {2: np.zeros((96, 128), np.bool_), 7: np.zeros((96, 128), np.bool_)}
    shapes[2][24:48, 32:72], shapes[7][64:80, 96:128] = True, True
    labels = draw_labels(_maps(shapes, 8), [2, 7], _picture(shapes))
    wanted = np.zeros((96, 128), np.uint8)
    wanted[shapes[2]], wanted[shapes[7]] = 2, 7
    assert (labels != wanted).mean() < 0.01


def test_nothing_found_is_an_empty_mask() -> None:
    probabilities = torch.zeros(2, 5, 7)
    probabilities[0] = 1
    assert not draw_labels(probabilities, [1], np.zeros((33, 50, 3), np.uint8)).any()


def test_the_outline_runs_where_the_frame_has_an_edge_and_not_in_steps_of_the_maps() -> None:
    y, x = np.mgrid[:270, :480]
    shapes = {1: (x - 240) ** 2 + 2 * (y - 135) ** 2 < 100**2}
    labels = draw_labels(_maps(shapes, 15), [1], _picture(shapes))
    wrong = (labels > 0) != shapes[1]
    plain = torch.nn.functional.interpolate(_maps(shapes, 15)[None], (270, 480), mode="bilinear")[0, 1].numpy() > 0.5
    assert wrong.sum() < 0.25 * (plain != shapes[1]).sum()
    assert wrong.sum() < 0.01 * shapes[1].sum()


def test_a_frame_without_edges_gets_the_outline_of_the_maps() -> None:
    shapes = {1: np.zeros((64, 96), np.bool_)}
    shapes[1][16:48, 24:72] = True
    labels = draw_labels(_maps(shapes, 4), [1], np.full((64, 96, 3), 90, np.uint8))
    assert (labels > 0)[20:44, 28:68].all()
    assert not (labels > 0)[:12].any()


def test_a_size_that_is_no_multiple_of_the_maps_moves_nothing() -> None:
    y, x = np.mgrid[:77, :91]
    shape = (x - 40) ** 2 + (y - 30) ** 2 < 18**2
    small = torch.nn.functional.interpolate(torch.from_numpy(shape)[None, None].float(), (20, 30), mode="area")[0]
    labels = draw_labels(torch.cat([1 - small, small]), [1], _picture({1: shape}))
    assert ((labels > 0) != shape).sum() < 0.03 * shape.sum()
