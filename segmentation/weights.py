"""Where the weights of the engines are: what is wanted, what is there, and what to say when it is not.

Nothing here imports torch, so that engines and their weights can be listed by a process that never computes.
Reading a file is in `segmentation.checkpoints`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENGINES_FOLDER = Path(__file__).parent / "engines"
DEFAULT_HOME = Path(__file__).parents[1] / "data"  # beside manage.py, as the web application has it
CUTTER = "star-cut"  # draws annotated frames, also for other engines (`uses_cutter`)
READS_SCRIBBLES = ("stm", "ipn", "manet", "strnn")  # those: they read scribbles, and carry masks on
SUFFIXES = (".safetensors", ".pth", ".pt")


class WeightsMissing(ValueError):
    """No checkpoint for an engine; the sentence says where to put one."""


class WeightsError(ValueError):
    """A checkpoint that cannot be used; the sentence says why."""


@dataclass(frozen=True)
class NetworkSpec:
    """One network that needs a checkpoint.

    `path` and `config` are dotted paths ("package.module:Class") of the module and of its configuration; `official` is
    the name of the published file, which is looked for beside `<name>.safetensors` and `<name>.pth`.
    """

    name: str
    engines: tuple[str, ...]
    folder: str  # of the engine's code, below segmentation/engines
    path: str
    config: str
    title: str
    official: str = ""
    source: str = ""  # where the published weights come from, and their terms


NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            "star",
            ("star",),
            "star",
            "segmentation.engines.star.network:Star",
            "segmentation.engines.star.network:StarConfig",
            "STAR",
            source="trained by this project's own command",
        ),
        NetworkSpec(
            CUTTER,
            ("star",),
            "star",
            "segmentation.cutter.refinement:RefinementNet",
            "segmentation.cutter.refinement:RefinementNetConfig",
            "STAR, cutter",
            source="trained by this project's own command",
        ),
        NetworkSpec(
            "stm",
            ("stm",),
            "stm",
            "segmentation.engines.stm.network:InteractiveSTM",
            "segmentation.engines.stm.network:STMConfig",
            "Interactive STM",
            "e120.pth",
            "github.com/seoungwugoh/STM-Interactive; no licence to pass them on",
        ),
        NetworkSpec(
            "stm-semi",
            ("stm-semi",),
            "stm",
            "segmentation.engines.stm.network:STM",
            "segmentation.engines.stm.network:STMConfig",
            "Semi-supervised STM",
            "STM_weights.pth",
            "github.com/seoungwugoh/STM; no licence to pass them on",
        ),
        NetworkSpec(
            "ipn-inet",
            ("ipn",),
            "ipn",
            "segmentation.engines.ipn.network:Inet",
            "segmentation.engines.ipn.network:IPNConfig",
            "IPN, interaction network",
            "I_e290.pth",
            "github.com/seoungwugoh/ivs-demo; no licence to pass them on",
        ),
        NetworkSpec(
            "ipn-pnet",
            ("ipn",),
            "ipn",
            "segmentation.engines.ipn.network:Pnet",
            "segmentation.engines.ipn.network:IPNConfig",
            "IPN, propagation network",
            "P_e290.pth",
            "github.com/seoungwugoh/ivs-demo; no licence to pass them on",
        ),
        NetworkSpec(
            "manet",
            ("manet",),
            "manet",
            "segmentation.engines.manet.network:MANet",
            "segmentation.engines.manet.network:MANetConfig",
            "MA-Net",
            "save_step_80000.pth",
            "github.com/lightas/CVPR2020_MANet; no licence to pass them on",
        ),
        NetworkSpec(
            "strnn",
            ("strnn",),
            "strnn",
            "segmentation.engines.strnn.network:STRNN",
            "segmentation.engines.strnn.network:STRNNConfig",
            "ST-RNN",
            source="no official weights exist",
        ),
    )
}


@dataclass(frozen=True)
class WeightsState:
    """What a list of engines shows of one network: the file found, or the sentence where to put one."""

    network: str
    title: str
    path: Path | None
    size: int  # bytes, 0 if missing
    shipped: bool
    sentence: str


def network_spec(name: str) -> NetworkSpec:
    """The spec of `name`. ValueError lists the known ones."""
    try:
        return NETWORKS[name]
    except KeyError:
        raise ValueError(f"weights: no network {name!r}, known are {', '.join(NETWORKS)}") from None


def networks_of(engine: str) -> list[NetworkSpec]:
    """The networks that an engine needs; none for an engine without weights."""
    return [spec for spec in NETWORKS.values() if engine in spec.engines]


def weights_folder() -> Path:
    """Where a person puts weights: MASKWRIGHT_WEIGHTS, or `weights` in MASKWRIGHT_HOME, by default `data`."""
    if folder := os.environ.get("MASKWRIGHT_WEIGHTS"):
        return Path(folder).expanduser()
    return Path(os.environ.get("MASKWRIGHT_HOME") or DEFAULT_HOME).expanduser() / "weights"


def find_weights(name: str, explicit: str | Path | None = None) -> Path:
    """The checkpoint of a network: `explicit` (a file, or a folder to look in), the person's folder, what ships.

    Raises:
        WeightsMissing: with the sentence where to put one.
    """
    spec = network_spec(name)
    if explicit is not None:
        return _explicit(spec, Path(explicit).expanduser())
    for folder in (weights_folder(), ENGINES_FOLDER / spec.folder / "weights"):
        if found := _in_folder(spec, folder):
            return found
    raise WeightsMissing(missing_sentence(spec))


def missing_sentence(spec: NetworkSpec) -> str:
    official = f" (the published one is called {spec.official})" if spec.official else ""
    return (
        f"{spec.title} has no weights here. Put its checkpoint{official} into {weights_folder()} as {spec.name}.pth or "
        f"{spec.name}.safetensors, or run: python manage.py weights add FILE"
    )


def state_of(name: str) -> WeightsState:
    """What is there of a network, without reading the file."""
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
    """Whether all that an engine needs is there."""
    return all(state_of(spec.name).path is not None for spec in networks_of(engine))


def uses_cutter(engine: str, explicit: str | Path | None = None) -> bool:
    """Whether STAR's cutter draws the annotated frames of another engine, unless one says otherwise.

    It does where the engine's own weights are the small ones that ship: published ones are left alone, as are those
    that were named (`explicit`).
    """
    return engine in READS_SCRIBBLES and all(ships(spec.name, explicit) for spec in networks_of(engine))


def ships(name: str, explicit: str | Path | None = None) -> bool:
    """Whether a network would compute with the small weights that come with Maskwright."""
    return explicit is None and state_of(name).shipped


def weights_label(engine: str, explicit: str | Path | None = None) -> str:
    """Which weights a round is made with: the first 12 digits of each file's checksum. Empty for none."""
    files = [find_weights(spec.name, explicit) for spec in networks_of(engine)]
    if uses_cutter(engine, explicit):
        files.append(find_weights(CUTTER))
    return "+".join(checksum(file)[:12] for file in files)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits; remembered as long as the file does not change."""
    stat = path.stat()
    return _checksum(path, stat.st_size, stat.st_mtime_ns)


@cache
def _checksum(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_file(path: Path) -> Path:
    """Where the checksum of a checkpoint is kept, in the format of `sha256sum`."""
    return path.with_name(path.name + ".sha256")


def keep_checksum(path: Path) -> None:
    checksum_file(path).write_text(f"{checksum(path)}  {path.name}\n")


def verify_checksum(path: Path) -> None:
    """Raise WeightsError if a checksum is kept for `path` and the file is no longer that one."""
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
