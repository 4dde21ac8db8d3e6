"""Tests how networks get their initial weights, and how their batch norms are trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.ipn.network import IPNConfig, Pnet
from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.engines.stm.network import STM, InteractiveSTM, STMConfig
from segmentation.engines.strnn.network import STRNN, BranchConfig, STRNNConfig
from segmentation.engines.strnn.objective import Objective as STRNNObjective
from segmentation.engines.strnn.refinement import RefinementConfig
from segmentation.networks.deeplab import DeepLabConfig
from segmentation.networks.resnet import ResNet, ResNetConfig
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import parse_plan
from tests.segmentation.engines.manet.tiny import TINY_TRUNK
from tests.segmentation.engines.stm.tiny import TINY
from tests.segmentation.engines.strnn.test_trunk import PLAN_TRUNK

BODY = ResNetConfig(blocks=(1, 1, 1, 1), strides=(1, 2, 2, 2), width=4)


@pytest.fixture
def body(tmp_path: Path) -> str:
    """Write weights of a ResNet classifier as torchvision saves them, with a stage more than our encoders have."""
    torch.manual_seed(1)
    network = ResNet(BODY)
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.fill_(2.0)
    torch.save({**network.state_dict(), "fc.weight": torch.zeros(10, 128)}, tmp_path / "resnet.pth")
    return str(tmp_path / "resnet.pth")


def test_weights_of_a_backbone_go_into_every_encoder(body: str) -> None:
    network = STM(TINY)
    begin(network, NormPlan(frozen=True), body)
    given = torch.load(body, weights_only=True)
    for encoder in (network.Encoder_M, network.Encoder_Q):
        state = encoder.state_dict()
        torch.testing.assert_close(state["conv1.weight"], given["conv1.weight"])
        torch.testing.assert_close(state["res4.0.bn2.running_var"], given["layer3.0.bn2.running_var"])
        torch.testing.assert_close(state["res2.0.downsample.0.weight"], given["layer1.0.downsample.0.weight"])


def test_a_backbone_of_other_sizes_is_refused(body: str, tmp_path: Path) -> None:
    tensors = torch.load(body, weights_only=True)
    del tensors["layer2.0.conv1.weight"]
    torch.save(tensors, tmp_path / "lacking.pth")
    with pytest.raises(ValueError, match=r"res3\.0\.conv1\.weight should be \[8, 16, 1, 1\], is missing"):
        begin(STM(TINY), NormPlan(), str(tmp_path / "lacking.pth"))


DEEPLAB = DeepLabConfig(
    backbone=ResNetConfig(blocks=(1, 1, 1, 1), strides=(1, 2, 2, 1), dilations=((1,), (1,), (1,), (2,)), width=4),
    width=8,
    low_width=4,
)


def test_manets_body_goes_into_a_deeplab_and_into_encoders(tmp_path: Path) -> None:
    torch.manual_seed(1)
    given = MANet(MANetConfig(deeplab=DEEPLAB, embedding=4, head_width=8))
    save_checkpoint(tmp_path / "manet.safetensors", "manet", given)
    refinement = RefinementConfig(body=ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4), width=4)
    network = STRNN(STRNNConfig(branches=(BranchConfig(DEEPLAB, hidden=4, outputs=4),), refinement=refinement))
    begin(network, NormPlan(), str(tmp_path / "manet.safetensors"))
    own, theirs = network.state_dict(), given.feature_extracter.state_dict()
    first = theirs["backbone.conv1.weight"].half().float()
    # the input channels are reordered from BGR to RGB
    torch.testing.assert_close(own["branches.0.body.backbone.conv1.weight"], first.flip(1))
    torch.testing.assert_close(own["refinement.encoder.conv1.weight"], first.flip(1))
    for key in ("aspp.conv1.weight", "decoder.conv1.weight", "backbone.layer4.0.conv2.weight"):
        torch.testing.assert_close(own[f"branches.0.body.{key}"], theirs[key].half().float())
    with pytest.raises(ValueError, match="nothing in a Conv2d can begin with"):
        begin(torch.nn.Conv2d(1, 1, 1), NormPlan(), str(tmp_path / "manet.safetensors"))


def test_stms_encoder_and_refinements_go_into_propagation_networks(tmp_path: Path) -> None:
    torch.manual_seed(1)
    given = InteractiveSTM(TINY)
    save_checkpoint(tmp_path / "stm.safetensors", "stm", given)
    stages = TINY.body
    body = replace(stages, blocks=(*stages.blocks, 1), strides=(*stages.strides, 2))
    pnet = Pnet(IPNConfig(body=body, width=TINY.width, fusion=4))
    branches = (BranchConfig(DEEPLAB, hidden=4, outputs=4),)
    strnn = STRNN(STRNNConfig(branches=branches, refinement=RefinementConfig(body=stages, width=TINY.width)))
    for network in (pnet, strnn):
        begin(network, NormPlan(), str(tmp_path / "stm.safetensors"))
    theirs = {key: value.half().float() for key, value in given.state_dict().items() if value.is_floating_point()}
    for encoder, refinements in (
        ("Encoder", ("Decoder.RF3", "Decoder.RF2")),
        ("refinement.encoder", ("refinement.refine.0", "refinement.refine.1")),
    ):
        own = (pnet if encoder == "Encoder" else strnn).state_dict()
        for key in ("conv1.weight", "conv1_m.weight", "bn1.running_var", "res4.0.conv2.weight"):
            torch.testing.assert_close(own[f"{encoder}.{key}"], theirs[f"Encoder_M.{key}"])
        for mine, its in zip(refinements, ("Decoder.RF3", "Decoder.RF2"), strict=True):
            key = "ResMM.conv1.weight"
            torch.testing.assert_close(own[f"{mine}.{key}"], theirs[f"{its}.{key}"])
    own = strnn.state_dict()
    torch.testing.assert_close(own["refinement.refine.0.convFS.weight"], theirs["Decoder.RF3.convFS.weight"])
    torch.testing.assert_close(pnet.state_dict()["Encoder.conv1_x.weight"], theirs["Encoder_M.conv1_m.weight"])
    wider = replace(body, width=2 * stages.width)
    with pytest.raises(ValueError, match=r"stm.safetensors is another one: .* should be"):
        begin(Pnet(IPNConfig(body=wider, width=4, fusion=4)), NormPlan(), str(tmp_path / "stm.safetensors"))
    for blocks, message in (((1, 1, 2, 1), "is missing"), ((1, 1), "another one: it has res4")):
        depth = RefinementConfig(body=replace(stages, blocks=blocks, strides=(1, 2, 2, 2)[: len(blocks)]), width=4)
        with pytest.raises(ValueError, match=message):
            begin(
                STRNN(STRNNConfig(branches=branches, refinement=depth)), NormPlan(), str(tmp_path / "stm.safetensors")
            )
    with pytest.raises(ValueError, match="nothing in a Conv2d can begin with"):
        begin(torch.nn.Conv2d(1, 1, 1), NormPlan(), str(tmp_path / "stm.safetensors"))


def test_strnn_on_the_trunk_begins_with_the_body_of_manet_and_with_rgmp_of_other_weights(tmp_path: Path) -> None:
    body, rgmp = tmp_path / "manet.safetensors", tmp_path / "strnn.safetensors"
    manet = MANet(replace(TINY_TRUNK, deeplab=replace(TINY_TRUNK.deeplab, rates=(1, 2), width=8, low_width=4)))
    save_checkpoint(body, "manet", manet)
    plan = parse_plan(PLAN_TRUNK)
    network = STRNNObjective(plan, torch.device("cpu"), "features", body=str(body)).network
    for key, value in manet.feature_extracter.state_dict().items():
        torch.testing.assert_close(network.state_dict()[f"branches.0.body.{key}"], value, atol=1e-3, rtol=1e-3)
    other = STRNN(replace(read_config(STRNNConfig, plan.network), branches=()))
    save_checkpoint(rgmp, "strnn", other)
    begun = STRNNObjective(plan, torch.device("cpu"), "refinement", body=str(rgmp)).network.state_dict()
    for key, value in other.state_dict().items():
        torch.testing.assert_close(begun[key], value, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match=r"body: nothing in a STRNN can begin with strnn.safetensors"):
        STRNNObjective(plan, torch.device("cpu"), "features", body=str(rgmp))
    lite1 = STRNNConfig(branches=(BranchConfig(replace(DEEPLAB, backbone=TrunkConfig("lite1")), 4, 4),))
    refinement = read_config(STRNNConfig, plan.network).refinement
    save_checkpoint(rgmp, "strnn", STRNN(replace(lite1, refinement=refinement)))
    STRNNObjective(plan, torch.device("cpu"), "refinement", body=str(rgmp))  # RGMP has nothing of another trunk.
    with pytest.raises(ValueError, match=r"manet.safetensors was trained on the frozen trunk and has no ResNet"):
        begin(STM(TINY), NormPlan(), str(body))
    with pytest.raises(ValueError, match=r"trained on the trunk lite0, and this run has lite1. Give --trunk lite0"):
        begin(STRNN(replace(lite1, refinement=None)), NormPlan(), str(body))


def test_norms_settle_from_that_part_of_the_run_on() -> None:
    network, norms = STM(TINY), NormPlan(settle=0.5)
    begin(network, norms)
    seen = []
    for progress in (0.0, 0.49, 0.5, 1.0):
        network.train()
        hold_norms(network, norms, progress)
        network.encode_query(torch.rand(1, 3, 32, 32))
        seen.append(network.Encoder_Q.get_buffer("bn1.running_mean").clone())
    assert not torch.equal(seen[0], seen[1])
    torch.testing.assert_close(seen[1], seen[3], rtol=0, atol=0)
    assert network.Encoder_Q.bn1.weight.requires_grad
    assert network.training


def test_frozen_norms_do_not_learn() -> None:
    network = STM(TINY)
    begin(network, NormPlan(frozen=True))
    assert not network.Encoder_M.get_submodule("res2.0.bn1").weight.requires_grad
    assert network.Encoder_M.conv1.weight.requires_grad


def test_a_network_may_be_like_another_plans_but_for_some_sizes() -> None:
    like = read_config(STMConfig, {"like": "stm-compact"})
    finer = read_config(STMConfig, {"like": "stm-compact", "frame_size": [336, 600]})
    assert finer == replace(like, frame_size=(336, 600))
    assert like.frame_size == (240, 432)


def test_a_network_may_be_like_one_that_is_like_another() -> None:
    first = read_config(STRNNConfig, {"like": "strnn-compact-refinement"})
    # the field `like` names a plan that has a field `like` too
    second = read_config(STRNNConfig, {"like": "strnn-compact-refinement-fine"})
    assert first == second
    assert first.branches == read_config(STRNNConfig, {"like": "strnn-compact"}).branches
