"""Reads the configuration of a network from the [network] table of a plan."""

from __future__ import annotations

from typing import Any, TypeVar

from segmentation.networks.configuration import from_json
from segmentation.training.plan import load_plan

Config = TypeVar("Config")


def read_config(kind: type[Config], table: dict[str, Any]) -> Config:
    """Return the configuration, of the class `kind`, that `table` describes. Missing fields have the paper's values.

    `table` has the form of the configuration in checkpoints. For a field that can have several classes, it names the
    class: `kind = "XceptionConfig"`. With `like = "manet-compact"`, missing fields are taken from the plan of that
    name, which may have a field `like` too.

    Raises:
        ConfigurationError: a ValueError that names the field; ValueError: there is no such plan.
    """
    config: Config = from_json(kind, completed(table), "network")
    return config


def completed(table: dict[str, Any]) -> dict[str, Any]:
    """Return `table` with the missing fields of the plans that its field `like` names, and without this field.

    Raises:
        ValueError: there is no such plan.
    """
    while "like" in table:
        engine, _, name = str(table["like"]).partition("-")
        own = {key: value for key, value in table.items() if key != "like"}
        table = {**load_plan(engine, name).network, **own}
    return table
