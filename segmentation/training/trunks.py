"""Chooses the variant of the frozen trunk for a run, and refuses initial weights that were trained on another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from torch import nn

from segmentation.checkpoints import Checkpoint
from segmentation.networks.configuration import KIND, to_json
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.objectives.configs import completed
from segmentation.training.plan import Plan
from segmentation.weights import WeightsError

NO_TRUNK = "none"  # stands for a run whose network learns all of its features itself


def with_trunk(plan: Plan, trunk: str, objective_class: Callable[..., Any]) -> Plan:
    """Return the plan with another variant of the trunk; with `NO_TRUNK` the same plan, if it uses no trunk.

    The class variable `trunk_field` of the objective says where the configuration of its network names the trunk.

    Raises:
        ValueError: the network of the plan does not use a trunk, or uses one although `trunk` is `NO_TRUNK`.
    """
    network = deepcopy(completed(plan.network))
    *tables, field = getattr(objective_class, "trunk_field", ("",))
    table = network
    for name in tables:
        table = table.get(name, {})
    named = bool(field) and (not tables or table.get(KIND) == TrunkConfig.__name__)
    if trunk == NO_TRUNK:
        if named or _trunk_in(network) is not None:
            raise ValueError(
                f"--trunk none: this plan of {plan.engine} reads the features of a pretrained trunk. Networks without "
                "one have plans of their own, such as `--config compact` of manet and strnn; star has none"
            )
        return plan
    if not named:
        raise ValueError(f"--trunk says nothing to {plan.engine} with this plan: leave it out")
    table[field] = trunk
    return replace(plan, network=network)


def refuse_another_trunk(network: nn.Module, given: Checkpoint) -> None:
    """Check that initial weights were trained on the trunk of `network`.

    The sizes alone do not show it, because lite0 and lite1 have the same numbers of channels.

    Raises:
        WeightsError: they were trained on another trunk, which the message names.
    """
    own, theirs = _trunk_in(to_json(getattr(network, "config", None))), _trunk_in(_configuration(given))
    if own is not None and theirs is not None and own != theirs:
        raise WeightsError(
            f"{given.path.name}: was trained on the trunk {theirs}, and this run has {own}. Give --trunk {theirs}, or "
            "begin with other weights"
        )


def _configuration(checkpoint: Checkpoint) -> Any:
    try:
        return json.loads(checkpoint.header.get("config", "null"))
    except ValueError:
        return None


def _trunk_in(config: Any) -> str | None:
    """Return the name of the trunk in a configuration as JSON; None if it names none."""
    if isinstance(config, dict):
        if config.get(KIND) == TrunkConfig.__name__:
            return str(config.get("name"))
        if isinstance(config.get("trunk"), str):
            return str(config["trunk"])
        config = list(config.values())
    found = (_trunk_in(part) for part in config) if isinstance(config, list) else ()
    return next((name for name in found if name is not None), None)
