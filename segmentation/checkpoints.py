"""Reads and writes checkpoints. A checkpoint must have all weights of its network, and code in a file is never run.

A checkpoint is a safetensors file, or a state dict that `torch.save` wrote. The checkpoints of this project have the
name of the network and its configuration in their header. Checkpoints that authors of papers published have no header:
they are expected to have the paper's sizes. Keys may start with `module.`, a prefix that DataParallel adds.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from segmentation.engine_specs import NetworkSpec
from segmentation.networks.configuration import from_json, to_json
from segmentation.registry import networks
from segmentation.weights import (
    SUFFIXES,
    WeightsError,
    checksum,
    checksum_file,
    find_weights,
    keep_checksum,
    network_spec,
    verify_checksum,
    weights_folder,
)

SHOWN = 4  # an error message names at most so many keys of each kind
PREFIX = "module."
FLOATS = torch.float16, torch.bfloat16, torch.float32, torch.float64
WHOLE = torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool
MAY_BE_ZERO = "chain", "refine_from", "margin"  # fields of configurations in which 0 is meaningful


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The content of a checkpoint file: its tensors by key (without the prefix `module.`), and the file's header."""

    path: Path
    tensors: dict[str, Tensor]
    header: dict[str, str]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint file and check its tensors.

    Raises:
        WeightsError: the file cannot be read, or it holds no tensors, something other than tensors, tensors of a dtype
            or layout that no network of Maskwright has, or values that are NaN or infinite.
    """
    tensors, header = _read_safetensors(path) if path.suffix == ".safetensors" else (_read_torch(path), {})
    if not tensors:
        raise WeightsError(f"{path.name}: holds no tensors")
    tensors = {key.removeprefix(PREFIX): tensor for key, tensor in tensors.items()}
    for key, tensor in tensors.items():
        if (kind := _foreign(tensor)) is not None:
            raise WeightsError(f"{path.name}: {key} is {kind}, which no network here is made of")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{path.name}: {key} has values that are not numbers (NaN or infinite)")
    return Checkpoint(path, tensors, header)


def load_state(network: nn.Module, checkpoint: Checkpoint) -> None:
    """Copy the tensors of a checkpoint into a network, set the network to eval mode and switch its gradients off.

    Half-precision values are converted to the network's dtype. `num_batches_tracked` may be missing: PyTorch before 0.4
    did not write it, and nothing depends on it.

    Raises:
        WeightsError: keys are missing, unexpected or of another shape, or hold integers where the network has floats.
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
    """Build the network `name` on the CPU and load its weights. `explicit` is as in `weights.find_weights`.

    Raises:
        ValueError: there is no network of this name.
        WeightsMissing: there is no checkpoint.
        WeightsError: the checkpoint cannot be read, has changed since it was added, or does not belong to this network.
    """
    path = find_weights(name, explicit)
    verify_checksum(path)
    checkpoint = read_checkpoint(path)
    network = build_network(network_spec(name), checkpoint)
    load_state(network, checkpoint)
    return network


def network_class(name: str) -> type[nn.Module]:
    """Import and return the class of the network `name`. The class called without arguments builds the paper's size."""
    found: type[nn.Module] = _resolve(network_spec(name).path)
    return found


def build_network(spec: NetworkSpec, checkpoint: Checkpoint) -> nn.Module:
    """Build a network with the sizes in the checkpoint's header; its weights are not loaded.

    Raises:
        WeightsError: the checkpoint is that of another network, its header cannot be read, or no network can be built
            with these sizes.
    """
    system = checkpoint.header.get("network", spec.name)
    if system != spec.name:
        raise WeightsError(f"{checkpoint.path.name}: holds the weights of {system}, not those of {spec.name}")
    config = _config(spec, checkpoint)
    try:
        network: nn.Module = _resolve(spec.path)(config)
    except Exception as error:
        if "config" not in checkpoint.header:
            raise
        # Where sizes do not fit together, some layer raises an error of its own kind.
        reason = _first_line(error)
        raise WeightsError(f"{checkpoint.path.name}: its configuration makes no {spec.title} ({reason})") from error
    return network


def save_checkpoint(path: Path, name: str, network: nn.Module, notes: Mapping[str, str] | None = None) -> None:
    """Write the checkpoint of a network. Floating point tensors are stored in half precision if their values fit.

    The file is written under another name and then renamed to `path`. `notes` are added to the header.
    """
    network_spec(name)
    config = getattr(network, "config", None)
    header = {**(notes or {}), "network": name, "config": json.dumps(to_json(config))}
    tensors = {key: _half(tensor) for key, tensor in network.state_dict().items()}
    unfinished = path.with_name(path.name + ".part")
    # `save_file` of safetensors makes files that only their owner can read; another account may run the workers.
    unfinished.write_bytes(save(tensors, header))
    unfinished.replace(path)


def identify(checkpoint: Checkpoint) -> NetworkSpec:
    """Find out which network a checkpoint belongs to, by its header or else by its keys.

    Raises:
        WeightsError: it belongs to no known network. The message lists the known networks or, if the header names no
            network, differences to the most similar one.
    """
    known = networks()
    if system := checkpoint.header.get("network"):
        if system not in known:
            raise WeightsError(f"{checkpoint.path.name}: made for {system!r}, known are {', '.join(known)}")
        return known[system]
    nearest, shared = None, -1
    for spec in known.values():
        own = _shapes(spec)
        if not _differences(own, checkpoint.tensors):
            return spec
        common = len(own.keys() & checkpoint.tensors.keys())
        if common > shared:
            nearest, shared = spec, common
    assert nearest is not None  # at least one engine has a network
    problems = _differences(_shapes(nearest), checkpoint.tensors)
    raise WeightsError(f"{checkpoint.path.name}: no known network; against {nearest.title}: {problems}")


# --- for `manage.py weights` ---------------------------------------------------------------------------------------


def add_weights(file: Path) -> Path:
    """Check a checkpoint, copy it into `weights_folder()` under the name of its network, and store its checksum.

    The copy replaces a checkpoint of this network that was added before, also if that has another suffix. Returns the
    path of the copy.

    Raises:
        WeightsError: the checkpoint cannot be used; nothing was copied.
    """
    checkpoint = read_checkpoint(file)
    spec = identify(checkpoint)
    load_state(build_network(spec, checkpoint), checkpoint)
    folder = weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".safetensors" if file.suffix == ".safetensors" else ".pth"
    target = folder / f"{spec.name}{suffix}"
    if not (target.exists() and target.samefile(file)):
        unfinished = target.with_name(target.name + ".part")
        copyfile(file, unfinished)
        unfinished.replace(target)
    keep_checksum(target)
    for other in (
        target.with_suffix(other) for other in SUFFIXES if other != suffix
    ):  # else `find_weights` might find an older checkpoint with that suffix
        other.unlink(missing_ok=True)
        checksum_file(other).unlink(missing_ok=True)
    return target


def check_weights(name: str) -> str:
    """Load the weights of a network as an engine would, and return the checksum of the file.

    Raises:
        WeightsMissing: there is no checkpoint.
        WeightsError: the checkpoint cannot be used.
    """
    load_network(name)
    return checksum(find_weights(name))


# --- reading -------------------------------------------------------------------------------------------------------


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except Exception as error:  # a damaged file can raise anything, as below
        raise WeightsError(f"{path.name}: cannot be read, it may be truncated ({_first_line(error)})") from error


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name}: not a file of tensors alone. It may hold code, which is never run here, or be no checkpoint"
        ) from error
    except Exception as error:
        # A damaged file can raise an exception of any class in PyTorch's reader.
        raise WeightsError(f"{path.name}: cannot be read, it may be truncated ({_first_line(error)})") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path.name}: expected tensors by name, a state dict")
    return {str(key): value for key, value in content.items()}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _foreign(tensor: Tensor) -> str | None:
    """Say why a tensor cannot be copied into a network, for example because it is sparse; None if it can."""
    if tensor.is_quantized:
        return "quantized"
    if tensor.is_nested or tensor.layout != torch.strided:
        return "not dense"
    if tensor.is_meta:
        return "without values"
    return None if tensor.dtype in FLOATS or tensor.dtype in WHOLE else _name(tensor.dtype)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _differences(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Describe in which keys and shapes `given` differs from the state dict `own` of a network; "" if it fits.

    Integers in `given` where `own` has floating-point numbers are a difference too.
    """
    missing = [key for key in own if key not in given and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    misshapen = [
        f"{key} is {list(given[key].shape)}, not {list(tensor.shape)}"
        for key, tensor in own.items()
        if key in given and given[key].shape != tensor.shape
    ]
    whole = [  # such as the levels of a quantised weight; a network's own integers are only counters
        f"{key} is {_name(given[key].dtype)}, not {_name(tensor.dtype)}"
        for key, tensor in own.items()
        if key in given and tensor.is_floating_point() and not given[key].is_floating_point()
    ]
    found = (
        ("missing", missing),
        ("unexpected", unexpected),
        ("of another shape", misshapen),
        ("of another kind", whole),
    )
    return "; ".join(f"{len(keys)} {what} ({_some(keys)})" for what, keys in found if keys)


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")


def _shapes(spec: NetworkSpec) -> dict[str, Tensor]:
    """Return the state dict of the network in the paper's size, as tensors on the meta device, which have no values."""
    with torch.device("meta"):
        network: nn.Module = _resolve(spec.path)()
    return network.state_dict()


def _config(spec: NetworkSpec, checkpoint: Checkpoint) -> Any:
    """Return the network's configuration from the checkpoint's header; without one, that of the paper.

    Raises WeightsError if it cannot be read or has a size that no network can have.
    """
    if "config" not in checkpoint.header:
        return _resolve(spec.config)()
    name = checkpoint.path.name
    try:
        config = from_json(_resolve(spec.config), json.loads(checkpoint.header["config"]))
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        RecursionError,
    ) as error:  # configurations raise some of these themselves
        raise WeightsError(f"{name}: its configuration cannot be read ({error})") from error
    for key, size in _sizes(to_json(config), "config"):
        # PyTorch builds layers with 0 channels, and they fail much later.
        if size < 0 or (size == 0 and key.rpartition(".")[2] not in MAY_BE_ZERO):
            raise WeightsError(f"{name}: its configuration cannot be used ({key} is {size})")
    return config


def _sizes(data: Any, key: str) -> Iterator[tuple[str, int]]:
    """Yield the dotted name and the value of every integer in `data`, a configuration as JSON named `key`."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _sizes(value, f"{key}.{name}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _sizes(value, f"{key}[{index}]")
    elif isinstance(data, int) and not isinstance(data, bool):
        yield key, data


def _half(tensor: Tensor) -> Tensor:
    """Convert a floating point tensor to float16 unless a value is too large for it, as in some batch norms."""
    tensor = tensor.detach().cpu()
    floats = tensor.is_floating_point() and tensor.numel() > 0
    fits = floats and float(tensor.abs().max()) < torch.finfo(torch.float16).max
    # The tensor is cloned because safetensors files cannot store one tensor under two names.
    return (tensor.half() if fits else tensor).clone(memory_format=torch.contiguous_format)


def _resolve(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
