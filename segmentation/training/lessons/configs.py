"""The sizes of a network, from the [network] table of a plan."""

from __future__ import annotations

from typing import Any, TypeVar

from segmentation.networks.configuration import from_json

Config = TypeVar("Config")


def read_config(kind: type[Config], table: dict[str, Any]) -> Config:
    """The configuration that `table` describes, in the form that checkpoints keep; what it lacks is the paper's.

    A field that may be one of several classes says which: `kind = "XceptionConfig"`.

    Raises:
        ConfigurationError: a ValueError that names the field.
    """
    config: Config = from_json(kind, table, "network")
    return config
