"""Tests that a network's configuration is written to JSON and read back, and that errors name the wrong field."""

from __future__ import annotations

import json

import pytest

from segmentation.engines.ipn.network import IPNConfig
from segmentation.engines.ipn.region import RegionConfig
from segmentation.networks.configuration import ConfigurationError, from_json, to_json
from segmentation.networks.resnet import ResNetConfig


def test_nested_configurations_come_back_equal() -> None:
    config = IPNConfig(body=ResNetConfig(width=8, dilations=((1,), (1,), (2, 4), (2,))), region=RegionConfig(scale=2.0))
    assert from_json(IPNConfig, json.loads(json.dumps(to_json(config)))) == config


def test_unions_are_told_apart_by_kind() -> None:
    wanted = tuple[ResNetConfig | RegionConfig | None, ...]
    configs = (RegionConfig(size=3), None, ResNetConfig(width=5))
    assert from_json(wanted, json.loads(json.dumps(to_json(configs)))) == configs


def test_missing_fields_keep_their_defaults() -> None:
    assert from_json(IPNConfig, {"kind": "IPNConfig", "width": 16}) == IPNConfig(width=16)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"width": "wide"}, "config.width"),
        ({"depth": 3}, "has no depth"),
        ({"body": {"strides": [1, 2]}}, "config.body: strides"),
        ({"body": {"blocks": 4}}, "config.body.blocks"),
        ({"frame_size": [1, 2, 3]}, "config.frame_size"),
        ({"kind": "STMConfig"}, "got a STMConfig"),
        ([], "expected the fields"),
    ],
)
def test_it_names_the_field_that_is_wrong(data: object, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        from_json(IPNConfig, data)
    assert words in str(caught.value)
