"""Where the weights of the engines are: which are wanted, which are found, and what to say when one is missing.

Nothing here imports torch, so that engines and their weights can be listed by a process that never computes.
Checkpoints are read by `segmentation.checkpoints`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from platformdirs import user_data_path

from segmentation.engine_spec import NetworkSpec
from segmentation.registry import engine_spec, networks

ENGINES_FOLDER = Path(__file__).parent / "engines"
_CLONE = Path(__file__).parents[1]
_IN_CLONE = (_CLONE / "manage.py").is_file()  # otherwise pip has installed the package
CUTTER = "star-cut"  # the network that can segment annotated frames for other engines (`uses_cutter`)
SUFFIXES = (".safetensors", ".pth", ".pt")


class WeightsMissing(ValueError):
    """An engine has no checkpoint; the message says where to put one."""


class WeightsError(ValueError):
    """A checkpoint cannot be used; the message says why."""


@dataclass(frozen=True)
class WeightsState:
    """What a list of engines shows of a network's weights.

    Args:
        network: name of the network.
        title: what a person reads.
        path: the checkpoint that was found, or None.
        size: of the checkpoint in bytes; 0 where it is missing.
        shipped: whether the checkpoint came with Maskwright.
        sentence: where the checkpoint came from, or where to put one.
    """

    network: str
    title: str
    path: Path | None
    size: int
    shipped: bool
    sentence: str


def network_spec(name: str) -> NetworkSpec:
    """The spec of a network.

    Raises:
        ValueError: there is no such network; the message lists the known ones.
    """
    known = networks()
    if name not in known:
        raise ValueError(f"weights: no network {name!r}, known are {', '.join(known)}")
    return known[name]


def weights_folder() -> Path:
    """Where a person puts weights: MASKWRIGHT_WEIGHTS, else `weights` in MASKWRIGHT_HOME."""
    if folder := os.environ.get("MASKWRIGHT_WEIGHTS"):
        return Path(folder).expanduser()
    return Path(os.environ.get("MASKWRIGHT_HOME") or _default_home()).expanduser() / "weights"


def _default_home() -> Path:
    """The folder in which the web application keeps its data when nobody has chosen another one."""
    return _CLONE / "data" if _IN_CLONE else user_data_path("maskwright", appauthor=False)


def find_weights(name: str, explicit: str | Path | None = None) -> Path:
    """Find the checkpoint of a network.

    Args:
        name: of the network.
        explicit: a file, or a folder in which to look. Without it, the person's folder is searched, then the weights
            that ship.

    Raises:
        WeightsMissing: there is none; the message says where to put one.
    """
    spec = network_spec(name)
    if explicit is not None:
        return _explicit(spec, Path(explicit).expanduser())
    for folder in (weights_folder(), ENGINES_FOLDER / spec.folder / "weights"):
        if found := _in_folder(spec, folder):
            return found
    raise WeightsMissing(missing_sentence(spec))


def missing_sentence(spec: NetworkSpec) -> str:
    command = "python manage.py" if _IN_CLONE else "maskwright"
    official = f" (the published one is called {spec.official})" if spec.official else ""
    return (
        f"{spec.title} has no weights here. Put its checkpoint{official} into {weights_folder()} as {spec.name}.pth or "
        f"{spec.name}.safetensors, or run: {command} weights add FILE"
    )


def state_of(name: str) -> WeightsState:
    """What is found of a network's weights; the file is not read."""
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
    """Whether the checkpoints of all networks of an engine are found."""
    return all(state_of(network.name).path is not None for network in engine_spec(engine).networks)


def uses_cutter(engine: str, explicit: str | Path | None = None) -> bool:
    """Whether STAR's cutter segments annotated frames in place of an engine's own network, by default.

    It does where the engine reads scribbles and computes with the small weights that ship: they understand scribbles
    badly. Engines with other weights (a person's, or `explicit` ones) segment their annotated frames themselves.
    """
    spec = engine_spec(engine)
    return spec.reads_scribbles and CUTTER in networks() and all(ships(n.name, explicit) for n in spec.networks)


def ships(name: str, explicit: str | Path | None = None) -> bool:
    """Whether a network would compute with the small weights that come with Maskwright."""
    return explicit is None and state_of(name).shipped


def weights_label(engine: str, explicit: str | Path | None = None) -> str:
    """Which weights a round computes with: the first 12 digits of each file's SHA-256, or "" without networks.

    Raises:
        WeightsMissing: a checkpoint is missing.
    """
    files = [find_weights(network.name, explicit) for network in engine_spec(engine).networks]
    if uses_cutter(engine, explicit):
        files.append(find_weights(CUTTER))
    return "+".join(checksum(file)[:12] for file in files)


def checksum(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits. It is computed again only when the file has changed."""
    stat = path.stat()
    return _checksum(path, stat.st_size, stat.st_mtime_ns)


@cache
def _checksum(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_file(path: Path) -> Path:
    """The file beside a checkpoint that keeps its checksum, in the format of `sha256sum`."""
    return path.with_name(path.name + ".sha256")


def keep_checksum(path: Path) -> None:
    checksum_file(path).write_text(f"{checksum(path)}  {path.name}\n")


def verify_checksum(path: Path) -> None:
    """Compare a file with the checksum that is kept for it; without one, nothing is compared.

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
