"""Tests checkpoints: which files are read and added, and what the errors for other files say."""

from __future__ import annotations

import itertools
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from segmentation.checkpoints import (
    _config,
    _resolve,
    add_weights,
    check_weights,
    identify,
    load_network,
    load_state,
    read_checkpoint,
    save_checkpoint,
)
from segmentation.engines.stm.network import STM, InteractiveSTM, STMConfig
from segmentation.networks.resnet import ResNetConfig
from segmentation.registry import networks
from segmentation.weights import (
    WeightsError,
    WeightsMissing,
    checksum_file,
    find_weights,
    network_spec,
    state_of,
    weights_label,
    weights_ready,
)

TINY = STMConfig(body=ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4), keys=4, values=8, width=8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("segmentation.weights.ENGINES_FOLDER", tmp_path / "shipped")
    return tmp_path / "weights"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, "stm", InteractiveSTM(TINY), {"made by": "a test"})
    return path


def assert_refused(path: Path, *words: str) -> None:
    with pytest.raises(WeightsError) as caught:
        load_state(InteractiveSTM(TINY), read_checkpoint(path))
    for word in (path.name, *words):
        assert word in str(caught.value)


def test_a_written_checkpoint_has_the_rights_of_other_files(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "stm.safetensors", "stm", InteractiveSTM(TINY))
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "stm.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_what_is_saved_is_loaded_with_its_sizes(tiny: Path) -> None:
    network = load_network("stm", tiny)
    assert isinstance(network, InteractiveSTM)
    assert network.config == TINY
    torch.manual_seed(1)
    for key, tensor in InteractiveSTM(TINY).state_dict().items():
        torch.testing.assert_close(network.state_dict()[key], tensor, rtol=1e-3, atol=1e-6)
    assert not network.training


def test_what_half_precision_cannot_hold_is_saved_whole(tmp_path: Path) -> None:
    network, path = InteractiveSTM(TINY), tmp_path / "large.safetensors"
    key, parameter = next(iter(network.named_parameters()))
    torch.nn.init.constant_(parameter, 1e6)
    save_checkpoint(path, "stm", network)
    loaded = load_network("stm", path)
    torch.testing.assert_close(loaded.state_dict()[key], parameter.detach())
    assert path.stat().st_size < 3 * sum(p.numel() for p in network.parameters()) + 200_000


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_pth_loads_with_and_without_the_prefix_of_data_parallel(tmp_path: Path, prefix: str) -> None:
    source = InteractiveSTM(TINY)
    path = tmp_path / "e120.pth"
    torch.save({prefix + key: tensor for key, tensor in source.state_dict().items()}, path)
    network = InteractiveSTM(TINY)
    load_state(network, read_checkpoint(path))
    assert torch.equal(network.Decoder.pred2.weight, source.Decoder.pred2.weight)


def test_batch_counters_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    state = InteractiveSTM(TINY).state_dict()
    torch.save({key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}, path)
    load_state(InteractiveSTM(TINY), read_checkpoint(path))


def test_it_names_missing_unexpected_and_misshapen_keys(tmp_path: Path) -> None:
    state = InteractiveSTM(TINY).state_dict()
    del state["Decoder.pred2.bias"]
    state["Decoder.pred2.weight"] = torch.zeros(3, 8, 3, 3)
    state["Decoder.extra"] = torch.zeros(1)
    torch.save(state, tmp_path / "odd.pth")
    assert_refused(
        tmp_path / "odd.pth",
        "1 missing (Decoder.pred2.bias)",
        "1 unexpected (Decoder.extra)",
        "Decoder.pred2.weight is [3, 8, 3, 3], not [2, 8, 3, 3]",
    )


def test_it_refuses_the_checkpoint_of_another_system(tmp_path: Path, tiny: Path) -> None:
    torch.save(STM(TINY).state_dict(), tmp_path / "semi.pth")
    assert_refused(tmp_path / "semi.pth", "KeyValue_M.Key.weight", "KV_M_r4.Key.weight")
    with pytest.raises(WeightsError, match="holds the weights of stm, not those of stm-semi"):
        load_network("stm-semi", tiny)


def write_as(folder: Path, kind: str) -> Path:
    """Write the checkpoint of a small network in the file format `kind`, one of the three that can be read."""
    state = InteractiveSTM(TINY).state_dict()
    path = folder / ("cut.safetensors" if kind == "safetensors" else "cut.pth")
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    return path


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_it_refuses_a_truncated_file(tmp_path: Path, kind: str) -> None:
    path = write_as(tmp_path, kind)
    content = path.read_bytes()
    for kept in (*range(64), *range(64, len(content), len(content) // 150 | 1), len(content) - 1):
        path.write_bytes(content[:kept])
        with pytest.raises(WeightsError, match=path.name):
            read_checkpoint(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch may warn before it raises an exception
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_damaged_file_is_read_or_refused_with_a_sentence(tmp_path: Path, kind: str) -> None:
    path = write_as(tmp_path, kind)
    content, random, sentences = path.read_bytes(), Random(1), []
    for _ in range(150):
        damaged = bytearray(content)
        damaged[random.randrange(8000)] ^= random.randrange(1, 256)  # at the beginning, with names and sizes
        path.write_bytes(damaged)
        try:
            read_checkpoint(path)
        except WeightsError as error:
            sentences.append(str(error))
    assert sentences
    assert all(sentence.startswith(path.name) for sentence in sentences)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_it_refuses_values_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    state = InteractiveSTM(TINY).state_dict()
    state["Decoder.pred2.bias"][0] = value
    torch.save(state, tmp_path / "broken.pth")
    assert_refused(tmp_path / "broken.pth", "Decoder.pred2.bias", "NaN")


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch warns that these layouts are experimental
@pytest.mark.parametrize(
    ("make", "word"),
    [
        (torch.Tensor.to_sparse, "not dense"),
        (torch.Tensor.to_sparse_csr, "not dense"),
        (lambda tensor: torch.nested.nested_tensor([tensor[0], tensor[1]]), "not dense"),
        (lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "quantized"),
        (lambda tensor: tensor.to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (lambda tensor: tensor.to(torch.float8_e5m2), "float8_e5m2"),
        (lambda tensor: tensor.to(torch.complex64), "complex64"),
        (lambda tensor: tensor.to("meta"), "without values"),
    ],
)
def test_it_refuses_tensors_that_are_not_plain(tmp_path: Path, make: Callable[[Tensor], Tensor], word: str) -> None:
    torch.save({"a": torch.ones(1), "odd.weight": make(torch.ones(2, 2))}, tmp_path / "odd.pth")
    assert_refused(tmp_path / "odd.pth", f"odd.weight is {word}")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex64])
def test_it_refuses_them_in_safetensors_too(tmp_path: Path, dtype: torch.dtype) -> None:
    save_file({"odd.weight": torch.ones(2, 2).to(dtype)}, tmp_path / "odd.safetensors")
    assert_refused(tmp_path / "odd.safetensors", "odd.weight is", str(dtype).removeprefix("torch."))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.bool])
def test_it_refuses_whole_numbers_where_the_network_has_others(tmp_path: Path, suffix: str, dtype: torch.dtype) -> None:
    state, path = InteractiveSTM(TINY).state_dict(), tmp_path / f"whole{suffix}"
    state["Decoder.pred2.weight"] = state["Decoder.pred2.weight"].to(dtype)
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    assert_refused(path, f"1 of another kind (Decoder.pred2.weight is {str(dtype)[6:]}, not float32)")


def test_floats_of_any_precision_and_averaged_counters_are_loaded(tmp_path: Path) -> None:
    source, path = InteractiveSTM(TINY), tmp_path / "mixed.pth"
    floats = itertools.cycle((torch.float64, torch.float32, torch.bfloat16, torch.float16))
    torch.save({key: tensor.to(next(floats)) for key, tensor in source.state_dict().items()}, path)
    network = InteractiveSTM(TINY)
    load_state(network, read_checkpoint(path))
    torch.testing.assert_close(network.Decoder.pred2.weight, source.Decoder.pred2.weight, rtol=1e-2, atol=1e-2)


class _Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (self.trace,)  # type: ignore[return-value]


def test_code_in_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    torch.save({"Decoder.pred2.bias": _Payload(trace)}, tmp_path / "evil.pth")
    assert_refused(tmp_path / "evil.pth", "code")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(_Payload(trace)))
    assert_refused(tmp_path / "plain.pth")
    assert not trace.exists()


def test_it_refuses_what_is_no_state_dict(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    assert_refused(tmp_path / "list.pth", "state dict")
    torch.save({}, tmp_path / "empty.pth")
    assert_refused(tmp_path / "empty.pth", "no tensors")


def test_it_refuses_a_configuration_that_it_cannot_read(tmp_path: Path) -> None:
    header = {"network": "stm", "config": '{"kind": "STMConfig", "keys": "many"}'}
    save_file(InteractiveSTM(TINY).state_dict(), tmp_path / "odd.safetensors", header)
    with pytest.raises(WeightsError, match=r"config\.keys"):
        load_network("stm", tmp_path / "odd.safetensors")


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"keys": ' + "1" * 5000 + "}", '{"body": {"blocks": []}}'])
def test_it_refuses_a_header_that_is_no_configuration(tmp_path: Path, text: str) -> None:
    save_file(InteractiveSTM(TINY).state_dict(), tmp_path / "odd.safetensors", {"network": "stm", "config": text})
    with pytest.raises(WeightsError, match=r"odd\.safetensors: its configuration cannot be read"):
        load_network("stm", tmp_path / "odd.safetensors")


@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"keys": ...}, "config.keys"),
        ({"frame_size": [..., 480]}, "config.frame_size[0]"),
        ({"body": {"blocks": [1, ..., 1], "strides": [1, 2, 2]}}, "config.body.blocks[1]"),
    ],
)
def test_it_refuses_sizes_that_nothing_has(tmp_path: Path, change: dict[str, Any], key: str, size: int) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(value_) for name, value_ in value.items()}
        return [filled(value_) for value_ in value] if isinstance(value, list) else size if value is ... else value

    header = {"network": "stm", "config": json.dumps(filled(change))}
    save_file(InteractiveSTM(TINY).state_dict(), tmp_path / "odd.safetensors", header)
    with pytest.raises(WeightsError, match=rf"odd\.safetensors.*{re.escape(key)} is {size}"):
        load_network("stm", tmp_path / "odd.safetensors")
    with pytest.raises(WeightsError, match=re.escape(key)):
        add_weights(tmp_path / "odd.safetensors")


def test_a_size_that_may_be_zero_is_read(tmp_path: Path) -> None:
    header = {"network": "strnn", "config": json.dumps({"chain": 0, "refine_from": 0})}
    save_file({"a": torch.zeros(1)}, tmp_path / "some.safetensors", header)
    config = _config(network_spec("strnn"), read_checkpoint(tmp_path / "some.safetensors"))
    assert (config.chain, config.refine_from) == (0, 0)


def test_it_refuses_a_configuration_of_which_no_network_can_be_made(tmp_path: Path) -> None:
    header = {"network": "stm", "config": json.dumps({"keys": 1 << 40, "values": 1 << 40})}
    save_file(InteractiveSTM(TINY).state_dict(), tmp_path / "odd.safetensors", header)
    with pytest.raises(WeightsError, match=r"odd\.safetensors: its configuration makes no Interactive STM"):
        load_network("stm", tmp_path / "odd.safetensors")


def test_missing_weights_are_a_sentence_that_says_where_to_put_them(folder: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"e120\.pth") as caught:
        find_weights("stm")
    assert str(folder) in str(caught.value)
    assert "manage.py weights add" in str(caught.value)
    assert state_of("stm").path is None
    assert not weights_ready("ipn")


def test_an_explicit_path_wins_and_must_exist(tiny: Path, tmp_path: Path) -> None:
    assert find_weights("stm", tiny) == tiny
    with pytest.raises(WeightsMissing, match="neither a file nor a folder"):
        find_weights("stm", tmp_path / "nowhere")
    with pytest.raises(WeightsMissing, match="has none of"):
        find_weights("stm", tmp_path)


def test_added_weights_are_found_and_checked(tiny: Path, folder: Path) -> None:
    added = add_weights(tiny)
    assert added == folder / "stm.safetensors" == find_weights("stm")
    assert check_weights("stm").startswith(weights_label("stm"))
    assert weights_ready("stm")
    added.write_bytes(added.read_bytes() + b" ")
    with pytest.raises(WeightsError, match="changed since it was added"):
        check_weights("stm")
    assert checksum_file(added).exists()


def test_a_file_that_does_not_fit_is_not_added(tmp_path: Path, folder: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="no known network"):
        add_weights(tmp_path / "a.pth")
    assert not folder.exists()


def test_a_published_checkpoint_is_known_by_its_keys(tmp_path: Path) -> None:
    with torch.device("meta"):
        shapes = STM().state_dict()
    state = {f"module.{key}": torch.zeros(tensor.shape, dtype=tensor.dtype) for key, tensor in shapes.items()}
    torch.save(state, tmp_path / "some name.pth")
    assert identify(read_checkpoint(tmp_path / "some name.pth")).name == "stm-semi"


def test_what_is_added_takes_the_place_of_another_format(tiny: Path, tmp_path: Path) -> None:
    first = add_weights(tiny)
    torch.save(InteractiveSTM().state_dict(), tmp_path / "e120.pth")
    second = add_weights(tmp_path / "e120.pth")
    assert find_weights("stm") == second
    assert not first.exists()
    assert not checksum_file(first).exists()
    assert find_weights("stm") == add_weights(second) == second  # adding the copy itself changes nothing


def test_networks_of_the_list_exist() -> None:
    for spec in networks().values():
        assert issubclass(_resolve(spec.path), nn.Module)
        assert is_dataclass(_resolve(spec.config)())
