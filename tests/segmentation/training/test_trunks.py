"""Tests choosing the trunk of a training run, and that initial weights of another trunk are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from segmentation.checkpoints import read_checkpoint, save_checkpoint
from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.engines.star.network import Star, StarConfig
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.__main__ import objective_of
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import load_plan
from segmentation.training.trunks import refuse_another_trunk, with_trunk
from segmentation.weights import WeightsError
from tests.segmentation.engines.manet.tiny import TINY_TRUNK


def test_another_trunk_is_written_into_plans_that_have_one_and_refused_for_all_others() -> None:
    star = load_plan("star", "compact")
    assert read_config(StarConfig, with_trunk(star, "lite2", objective_of(star)).network).trunk == "lite2"
    for name in ("compact-trunk", "compact-trunk-interaction"):
        manet = load_plan("manet", name)
        config = read_config(MANetConfig, with_trunk(manet, "lite2", objective_of(manet)).network)
        assert config.deeplab.backbone == TrunkConfig("lite2")
        assert config.head_width == read_config(MANetConfig, manet.network).head_width
        assert read_config(MANetConfig, manet.network).deeplab.backbone == TrunkConfig("lite0")  # is not changed
    for engine, name in (("stm", "compact"), ("manet", "compact")):
        plan = load_plan(engine, name)
        with pytest.raises(ValueError, match=f"--trunk says nothing to {engine} with this plan: leave it out"):
            with_trunk(plan, "lite2", objective_of(plan))


def test_a_run_without_a_trunk_takes_plans_that_have_none_and_no_others() -> None:
    for engine, name in (("stm", "compact"), ("manet", "compact"), ("strnn", "compact"), ("ipn", "compact")):
        plan = load_plan(engine, name)
        assert with_trunk(plan, "none", objective_of(plan)) == plan
    for engine, name in (("star", "compact"), ("manet", "compact-trunk"), ("strnn", "compact-trunk")):
        plan = load_plan(engine, name)
        with pytest.raises(ValueError, match=r"--trunk none: this plan of .* reads the features of a pretrained trunk"):
            with_trunk(plan, "none", objective_of(plan))


@pytest.mark.parametrize("engine", ["manet", "star"])
def test_initial_weights_of_another_trunk_are_refused_also_where_sizes_are_the_same(
    engine: str, tmp_path: Path
) -> None:
    networks: dict[str, torch.nn.Module] = {"manet": MANet(TINY_TRUNK), "star": Star(StarConfig())}
    path = tmp_path / f"{engine}.safetensors"
    save_checkpoint(path, engine, networks[engine])
    given = read_checkpoint(path)
    refuse_another_trunk(networks[engine], given)
    header = {**given.header, "config": given.header["config"].replace("lite0", "lite1")}
    with pytest.raises(WeightsError, match=r"trained on the trunk lite1, and this run has lite0. Give --trunk lite1"):
        refuse_another_trunk(networks[engine], type(given)(given.path, given.tensors, header))
