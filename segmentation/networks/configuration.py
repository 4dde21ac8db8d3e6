"""Writes and reads network configurations (frozen dataclasses) as JSON, which a checkpoint stores with its weights."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

KIND = "kind"  # The key that names the class, which tells the members of a union of configurations apart.


class ConfigurationError(ValueError):
    """The JSON is not a configuration of the expected class. The message names the field that is wrong."""


def to_json(config: Any) -> Any:
    """Convert a configuration, a dataclass with nested dataclasses and tuples, to dicts, lists and plain values.

    Raises TypeError for any other value in it.
    """
    if is_dataclass(config) and not isinstance(config, type):
        values = {field.name: to_json(getattr(config, field.name)) for field in fields(config)}
        return {KIND: _kind_of(type(config)), **values}
    if isinstance(config, tuple):
        return [to_json(item) for item in config]
    if config is None or isinstance(config, bool | int | float | str):
        return config
    raise TypeError(f"{type(config).__name__}: only dataclasses, tuples and plain values make a configuration")


def from_json(wanted: Any, data: Any, name: str = "config") -> Any:
    """Read a configuration of type `wanted` from `data`, which `to_json` wrote. Missing fields get their defaults.

    Raises:
        ConfigurationError: `data` is not such a configuration. The message calls it `name`.
    """
    if get_origin(wanted) in (Union, types.UnionType):
        return _from_union(get_args(wanted), data, name)
    if is_dataclass(wanted):
        return _from_mapping(wanted, data, name)
    if get_origin(wanted) is tuple:
        return _from_list(get_args(wanted), data, name)
    if wanted is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if type(data) is not wanted:
        raise ConfigurationError(f"{name}: expected {getattr(wanted, '__name__', wanted)}, got {data!r}")
    return data


def _kind_of(configuration: Any) -> str:
    """Return the name by which checkpoints call a class: its class variable `kind` if it has one, else its name."""
    kind: str = getattr(configuration, KIND, getattr(configuration, "__name__", ""))
    return kind


def _from_union(members: tuple[Any, ...], data: Any, name: str) -> Any:
    if data is None and type(None) in members:
        return None
    candidates = [member for member in members if member is not type(None)]
    if isinstance(data, Mapping):
        candidates = [member for member in candidates if _kind_of(member) == data.get(KIND)]
    if len(candidates) != 1:
        kinds = ", ".join(getattr(member, "__name__", str(member)) for member in members)
        raise ConfigurationError(f"{name}: expected one of {kinds}, got {data!r}")
    return from_json(candidates[0], data, name)


def _from_mapping(wanted: Any, data: Any, name: str) -> Any:
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"{name}: expected the fields of {wanted.__name__}, got {data!r}")
    values = {key: value for key, value in data.items() if key != KIND}
    if data.get(KIND, _kind_of(wanted)) != _kind_of(wanted):
        raise ConfigurationError(f"{name}: expected a {wanted.__name__}, got a {data[KIND]}")
    hints = get_type_hints(wanted)
    known = {field.name for field in fields(wanted)}
    if unknown := sorted(values.keys() - known):
        raise ConfigurationError(f"{name}: {wanted.__name__} has no {', '.join(unknown)}")
    try:
        return wanted(**{key: from_json(hints[key], value, f"{name}.{key}") for key, value in values.items()})
    except ConfigurationError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _from_list(items: tuple[Any, ...], data: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise ConfigurationError(f"{name}: expected a list, got {data!r}")
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(from_json(items[0], value, f"{name}[{i}]") for i, value in enumerate(data))
    if len(items) != len(data):
        raise ConfigurationError(f"{name}: expected {len(items)} values, got {len(data)}")
    return tuple(
        from_json(item, value, f"{name}[{i}]") for i, (item, value) in enumerate(zip(items, data, strict=True))
    )
