"""Tests of the arrays that MA-Net computes for the golden comparison, on other inputs than the golden ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from segmentation.engines.manet.golden import QUERY, REFERENCE, Program
from segmentation.evaluation.golden.__main__ import program_of
from tests.segmentation.networks.brute_force import global_map, local_map
from tests.segmentation.test_golden import make_case, relabelled


def test_three_objects_of_another_seed_at_an_odd_size_in_any_order(tmp_path: Path) -> None:
    case = make_case(tmp_path, "manet", "c", (5, 77, 94), objects=3)
    with torch.inference_mode():
        arrays = dict(program_of("manet")(case))
        swapped = dict(program_of("manet")(relabelled(case, [3, 1, 2])))
    assert arrays["emb_hw"].tolist() == [20, 24]
    order = [0, 3, 1, 2]
    for name in ("global_map", "local_map"):
        np.testing.assert_allclose(arrays[name], swapped[name][..., order], atol=1e-4, err_msg=name)
    for name in ("prop_head", "int_head_first", "int_head_later", "loop.r2.f4.p_logits"):
        spread = np.abs(arrays[name]).max()
        np.testing.assert_allclose(arrays[name], swapped[name][order], atol=1e-3 * spread, err_msg=name)
    for index in range(3):
        agreement = swapped[f"loop.r{index}.masks"] == np.array(order)[arrays[f"loop.r{index}.masks"]]
        assert agreement.mean() > 0.995


def test_its_maps_are_the_equations_on_real_embeddings(tmp_path: Path) -> None:
    case = make_case(tmp_path, "manet", "b", (5, 45, 58), objects=2)
    with torch.inference_mode():
        program = Program(case)
        arrays = dict(program_of("manet")(case))
        query, reference = program.embed(QUERY), program.embed(REFERENCE)
        far = global_map(query, reference, program.scribbles(REFERENCE), 3)
        near = local_map(query, reference, program.labels(REFERENCE), 3, program.network.config.window)
    np.testing.assert_allclose(arrays["global_map"], far.permute(1, 2, 0).numpy(), atol=1e-4)
    np.testing.assert_allclose(arrays["local_map"], near.permute(1, 2, 0).numpy(), atol=1e-4)
