"""The sizes of a network, from the [network] table of a plan."""

from __future__ import annotations

from typing import Any, TypeVar

from segmentation.networks.configuration import from_json
from segmentation.training.plan import load_plan

Config = TypeVar("Config")


def read_config(kind: type[Config], table: dict[str, Any]) -> Config:
    """The configuration that `table` describes, in the form that checkpoints keep; what it lacks is the paper's.

    A field that may be one of several classes says which: `kind = "XceptionConfig"`. `like = "manet-compact"` means
    the table of another plan, as stages of one training have the same network; what else is named goes before it. That
    plan may be like a third one.

    Raises:
        ConfigurationError: a ValueError that names the field; ValueError: there is no such plan.
    """
    while "like" in table:
        engine, _, name = str(table["like"]).partition("-")
        own = {key: value for key, value in table.items() if key != "like"}
        table = {**load_plan(engine, name).network, **own}
    config: Config = from_json(kind, table, "network")
    return config
