"""Reads the configuration of a network from the [network] table of a plan."""

from __future__ import annotations

from typing import Any, TypeVar

from segmentation.networks.configuration import from_json
from segmentation.training.plan import load_plan

Config = TypeVar("Config")


def read_config(kind: type[Config], table: dict[str, Any]) -> Config:
    """Read the configuration that `table` describes, in the form of checkpoints. Missing fields have the paper's
    values.

    A field that can be of several classes names one: `kind = "XceptionConfig"`. With `like = "manet-compact"` the
    fields of another plan are the defaults, since the stages of one training have the same network. That plan may have
    a `like` of its own.

    Raises:
        ConfigurationError: a ValueError that names the field; ValueError: there is no such plan.
    """
    while "like" in table:
        engine, _, name = str(table["like"]).partition("-")
        own = {key: value for key, value in table.items() if key != "like"}
        table = {**load_plan(engine, name).network, **own}
    config: Config = from_json(kind, table, "network")
    return config
