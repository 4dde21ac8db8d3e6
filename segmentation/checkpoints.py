"""Reading and writing checkpoints: strict, without running anything that a file brings along.

A checkpoint is a safetensors file, or a .pth of tensors alone. Ours carry the system's name and its configuration in
the header; published ones have neither and are taken for the paper's sizes. Keys may start with `module.`, which
DataParallel adds.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from segmentation.networks.configuration import ConfigurationError, from_json, to_json
from segmentation.weights import (
    NETWORKS,
    NetworkSpec,
    WeightsError,
    checksum,
    find_weights,
    keep_checksum,
    network_spec,
    verify_checksum,
    weights_folder,
)

SHOWN = 4  # keys that a sentence names of each kind
PREFIX = "module."


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file by key, without prefix, and what its header says."""

    path: Path
    tensors: dict[str, Tensor]
    header: dict[str, str]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file and check what it holds.

    Raises:
        WeightsError: not readable, truncated, not only tensors, with NaN or infinite values.
    """
    tensors, header = _read_safetensors(path) if path.suffix == ".safetensors" else (_read_torch(path), {})
    if not tensors:
        raise WeightsError(f"{path.name}: holds no tensors")
    tensors = {key.removeprefix(PREFIX): tensor for key, tensor in tensors.items()}
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{path.name}: {key} has values that are not numbers (NaN or infinite)")
    return Checkpoint(path, tensors, header)


def load_state(network: nn.Module, checkpoint: Checkpoint) -> None:
    """Copy the tensors into `network`, every one into its place; the network is then in eval mode, without gradients.

    Half-precision values become those of the network. `num_batches_tracked` may be missing: files of PyTorch before 0.4
    have none, and nothing depends on it.

    Raises:
        WeightsError: naming missing, unexpected and misshapen keys.
    """
    own = network.state_dict()
    problems = _differences(own, checkpoint.tensors)
    if problems:
        raise WeightsError(f"{checkpoint.path.name}: not weights of this {type(network).__name__}: {problems}")
    with torch.no_grad():
        for key, tensor in checkpoint.tensors.items():
            own[key].copy_(tensor)
    network.eval().requires_grad_(False)


def load_network(name: str, explicit: str | Path | None = None) -> nn.Module:
    """The network `name` with its weights, on the CPU.

    Raises:
        WeightsMissing: no file; WeightsError: one that does not fit.
    """
    path = find_weights(name, explicit)
    verify_checksum(path)
    checkpoint = read_checkpoint(path)
    network = build_network(network_spec(name), checkpoint)
    load_state(network, checkpoint)
    return network


def build_network(spec: NetworkSpec, checkpoint: Checkpoint) -> nn.Module:
    """An empty network of the sizes that the checkpoint was made with."""
    system = checkpoint.header.get("network", spec.name)
    if system != spec.name:
        raise WeightsError(f"{checkpoint.path.name}: holds the weights of {system}, not those of {spec.name}")
    network: nn.Module = _resolve(spec.path)(_config(spec, checkpoint))
    return network


def save_checkpoint(path: Path, name: str, network: nn.Module, notes: Mapping[str, str] | None = None) -> None:
    """Write `network` as the checkpoint of `name`, floating point tensors in half precision where it can hold them.

    The file appears under its name only when it is complete. `notes` go into the header.
    """
    network_spec(name)
    config = getattr(network, "config", None)
    header = {**(notes or {}), "network": name, "config": json.dumps(to_json(config))}
    tensors = {key: _half(tensor) for key, tensor in network.state_dict().items()}
    unfinished = path.with_name(path.name + ".part")
    save_file(tensors, unfinished, header)
    unfinished.replace(path)


def identify(checkpoint: Checkpoint) -> NetworkSpec:
    """Which network a checkpoint belongs to: what its header says, or the one network that has exactly its keys.

    Raises:
        WeightsError: naming the differences to the nearest.
    """
    if system := checkpoint.header.get("network"):
        if system not in NETWORKS:
            raise WeightsError(f"{checkpoint.path.name}: made for {system!r}, known are {', '.join(NETWORKS)}")
        return NETWORKS[system]
    nearest, shared = None, -1
    for spec in NETWORKS.values():
        own = _shapes(spec)
        if not _differences(own, checkpoint.tensors):
            return spec
        common = len(own.keys() & checkpoint.tensors.keys())
        if common > shared:
            nearest, shared = spec, common
    assert nearest is not None  # NETWORKS is not empty
    problems = _differences(_shapes(nearest), checkpoint.tensors)
    raise WeightsError(f"{checkpoint.path.name}: no known network; against {nearest.title}: {problems}")


# --- for `manage.py weights` ---------------------------------------------------------------------------------------


def add_weights(file: Path) -> Path:
    """Check a checkpoint, copy it into the person's folder under its network's name, keep its checksum.

    Returns the copy. Raises WeightsError, and then nothing was copied.
    """
    checkpoint = read_checkpoint(file)
    spec = identify(checkpoint)
    load_state(build_network(spec, checkpoint), checkpoint)
    folder = weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".safetensors" if file.suffix == ".safetensors" else ".pth"
    target = folder / f"{spec.name}{suffix}"
    if target.exists() and target.samefile(file):
        keep_checksum(target)
        return target
    unfinished = target.with_name(target.name + ".part")
    copyfile(file, unfinished)
    unfinished.replace(target)
    keep_checksum(target)
    return target


def check_weights(name: str) -> str:
    """Load a network's weights as an engine would; the checksum of the file. Raises WeightsMissing or WeightsError."""
    load_network(name)
    return checksum(find_weights(name))


# --- reading -------------------------------------------------------------------------------------------------------


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name}: cannot be read, it may be truncated ({error})") from error


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name}: not a file of tensors alone. It may hold code, which is never run here, or be no checkpoint"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise WeightsError(f"{path.name}: cannot be read, it may be truncated ({_first_line(error)})") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path.name}: expected tensors by name, a state dict")
    return {str(key): value for key, value in content.items()}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _differences(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """What is wrong with `given`, for a sentence; empty if it fits."""
    missing = [key for key in own if key not in given and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    misshapen = [
        f"{key} is {list(given[key].shape)}, not {list(tensor.shape)}"
        for key, tensor in own.items()
        if key in given and given[key].shape != tensor.shape
    ]
    found = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    return "; ".join(f"{len(keys)} {what} ({_some(keys)})" for what, keys in found if keys)


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")


def _shapes(spec: NetworkSpec) -> dict[str, Tensor]:
    """The state dict of the paper's sizes, without memory behind it."""
    with torch.device("meta"):
        network: nn.Module = _resolve(spec.path)()
    return network.state_dict()


def _config(spec: NetworkSpec, checkpoint: Checkpoint) -> Any:
    """The configuration in the header; the paper's if there is none."""
    if "config" not in checkpoint.header:
        return _resolve(spec.config)()
    try:
        return from_json(_resolve(spec.config), json.loads(checkpoint.header["config"]))
    except (json.JSONDecodeError, ConfigurationError) as error:
        raise WeightsError(f"{checkpoint.path.name}: its configuration cannot be read ({error})") from error


def _half(tensor: Tensor) -> Tensor:
    """In half precision, but where a value is beyond it: the variance of large sums may be."""
    tensor = tensor.detach().cpu()
    floats = tensor.is_floating_point() and tensor.numel() > 0
    fits = floats and float(tensor.abs().max()) < torch.finfo(torch.float16).max
    # Two names of one tensor become two tensors: the format knows no sharing.
    return (tensor.half() if fits else tensor).clone(memory_format=torch.contiguous_format)


def _resolve(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
