"""Finds the checkpoints of the engines' networks, and says where to put a missing one.

This module does not import torch, so that a process that never computes (such as the web process) can list engines and
their weights. Checkpoints are read by `segmentation.checkpoints`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from platformdirs import user_data_path

from segmentation.engine_specs import NetworkSpec
from segmentation.registry import engine_spec, networks

ENGINES_FOLDER = Path(__file__).parent / "engines"
_CLONE = Path(__file__).parents[1]
_IN_CLONE = (_CLONE / "manage.py").is_file()  # whether this runs from a clone of the repository, not installed by pip
CUTTER = "star-cut"  # the network that can segment annotated frames for other engines (`uses_cutter`)
SUFFIXES = (".safetensors", ".pth", ".pt")


class WeightsMissing(ValueError):
    """A network has no checkpoint; the message says where it is expected."""


class WeightsError(ValueError):
    """A checkpoint cannot be used; the message says why."""


@dataclass(frozen=True)
class WeightsState:
    """Whether the checkpoint of a network was found, and where: what lists of engines show.

    Args:
        network: name of the network.
        title: the network's name in messages and lists.
        path: the checkpoint that was found, or None.
        size: size of the checkpoint in bytes; 0 if there is none.
        shipped: whether the checkpoint came with Maskwright.
        sentence: a text for the list: "ships with Maskwright", where to put a missing checkpoint, or "".
    """

    network: str
    title: str
    path: Path | None
    size: int
    shipped: bool
    sentence: str


def network_spec(name: str) -> NetworkSpec:
    """Return the spec of a network by its name.

    Raises:
        ValueError: there is no such network; the message lists the known networks.
    """
    known = networks()
    if name not in known:
        raise ValueError(f"weights: no network {name!r}, known are {', '.join(known)}")
    return known[name]


def weights_folder() -> Path:
    """Return the folder for checkpoints that people add: MASKWRIGHT_WEIGHTS, or else `weights` in MASKWRIGHT_HOME."""
    if folder := os.environ.get("MASKWRIGHT_WEIGHTS"):
        return Path(folder).expanduser()
    return Path(os.environ.get("MASKWRIGHT_HOME") or _default_home()).expanduser() / "weights"


def _default_home() -> Path:
    """Return the folder in which the web application keeps its data where MASKWRIGHT_HOME is not set."""
    return _CLONE / "data" if _IN_CLONE else user_data_path("maskwright", appauthor=False)


def find_weights(name: str, explicit: str | Path | None = None) -> Path:
    """Find the checkpoint of a network.

    Args:
        name: the name of the network.
        explicit: a checkpoint, or a folder in which to look for it. None: `weights_folder()` is searched first, and
            then the checkpoints that ship with Maskwright.

    Raises:
        WeightsMissing: there is no checkpoint; the message says where it is expected.
    """
    spec = network_spec(name)
    if explicit is not None:
        return _explicit(spec, Path(explicit).expanduser())
    for folder in (weights_folder(), shipped_folder(name)):
        if found := _in_folder(spec, folder):
            return found
    raise WeightsMissing(missing_sentence(spec))


def shipped_folder(name: str) -> Path:
    """Return the folder of the checkpoints that ship with the engine of the network `name`."""
    return ENGINES_FOLDER / network_spec(name).folder / "weights"


def missing_sentence(spec: NetworkSpec) -> str:
    command = "python manage.py" if _IN_CLONE else "maskwright"
    official = f" (the published one is called {spec.official})" if spec.official else ""
    return (
        f"{spec.title} has no weights here. Put its checkpoint{official} into {weights_folder()} as {spec.name}.pth or "
        f"{spec.name}.safetensors, or run: {command} weights add FILE"
    )


def state_of(name: str) -> WeightsState:
    """Look for the checkpoint of the network `name`, and return what was found. The file itself is not read."""
    spec = network_spec(name)
    try:
        path = find_weights(name)
    except WeightsMissing as error:
        return WeightsState(name, spec.title, None, 0, False, str(error))
    shipped = ENGINES_FOLDER in path.parents
    return WeightsState(
        name, spec.title, path, path.stat().st_size, shipped, "ships with Maskwright" if shipped else ""
    )


def weights_ready(engine: str) -> bool:
    """Whether there is a checkpoint for every network of an engine."""
    return all(state_of(network.name).path is not None for network in engine_spec(engine).networks)


def uses_cutter(engine: str, explicit: str | Path | None = None) -> bool:
    """Whether, by default, STAR's cutter (its network for drawn frames) replaces an engine's own network there.

    It does if the engine reads scribbles and uses the small weights that ship, which segment from scribbles badly.
    Engines with other weights (added by a person, or `explicit`) segment drawn frames with their own network.
    """
    spec = engine_spec(engine)
    return spec.reads_scribbles and CUTTER in networks() and all(ships(n.name, explicit) for n in spec.networks)


def ships(name: str, explicit: str | Path | None = None) -> bool:
    """Whether a session would use, for the network `name`, the small weights that ship with Maskwright."""
    return explicit is None and state_of(name).shipped


def weights_label(engine: str, explicit: str | Path | None = None) -> str:
    """Return a text that identifies the weights that an engine's rounds use; "" for an engine without networks.

    It is the first 12 digits of the SHA-256 of each checkpoint, joined by "+".

    Raises:
        WeightsMissing: a checkpoint is missing.
    """
    files = [find_weights(network.name, explicit) for network in engine_spec(engine).networks]
    if uses_cutter(engine, explicit):
        files.append(find_weights(CUTTER))
    return "+".join(checksum(file)[:12] for file in files)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits. It is computed again only if the file has changed."""
    stat = path.stat()
    return _checksum(path, stat.st_size, stat.st_mtime_ns)


@cache
def _checksum(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_file(path: Path) -> Path:
    """Return the path of the file beside a checkpoint that stores its checksum, in the format of `sha256sum`."""
    return path.with_name(path.name + ".sha256")


def keep_checksum(path: Path) -> None:
    checksum_file(path).write_text(f"{checksum(path)}  {path.name}\n")


def verify_checksum(path: Path) -> None:
    """Compare a checkpoint with its stored checksum. If no checksum is stored, nothing is compared.

    Raises:
        WeightsError: the file has changed.
    """
    kept = checksum_file(path)
    if not kept.exists():
        return
    words = kept.read_text().split()
    if not words or words[0] != checksum(path):
        raise WeightsError(f"{path.name}: changed since it was added (its checksum is not that of {kept.name})")


def _explicit(spec: NetworkSpec, path: Path) -> Path:
    if path.is_dir():
        if found := _in_folder(spec, path):
            return found
        names = ", ".join(_names(spec))
        raise WeightsMissing(f"{spec.title}: the folder {path} has none of {names}")
    if not path.is_file():
        raise WeightsMissing(f"{spec.title}: {path} is neither a file nor a folder")
    return path


def _in_folder(spec: NetworkSpec, folder: Path) -> Path | None:
    return next((folder / name for name in _names(spec) if (folder / name).is_file()), None)


def _names(spec: NetworkSpec) -> Iterator[str]:
    yield from (spec.name + suffix for suffix in SUFFIXES)
    if spec.official:
        yield spec.official
