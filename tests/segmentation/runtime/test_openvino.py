"""Tests that networks compiled by OpenVINO compute the same as in PyTorch, at any size and from any thread."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segmentation.runtime.openvino import Function, bfloat16_forbidden, compiled

CPU = torch.device("cpu")


class Two(nn.Module):
    """A test network with two inputs and two outputs, which have different sizes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 3, 2, 1)

    def forward(self, x: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        inner = torch.relu(self.first(x))
        return self.second(inner), nn.functional.interpolate(inner, size=like.shape[-2:], mode="bilinear")


@pytest.fixture(scope="module")
def network() -> Two:
    return Two().eval()


@pytest.fixture(scope="module")
def run(network: Two) -> Function:
    found = compiled(network, (torch.rand(1, 3, 16, 16), torch.rand(1, 1, 8, 8)), CPU, precision="f32")
    assert found is not None
    return found


def shown(count: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 3, height, width, generator=random)
    return x.contiguous(memory_format=torch.channels_last), torch.rand(1, 1, height + 3, width // 2, generator=random)


@pytest.mark.parametrize("size", [(1, 16, 16), (2, 16, 16), (5, 30, 22), (1, 7, 9)])
@torch.no_grad()
def test_it_computes_the_same_at_any_size(network: Two, run: Function, size: tuple[int, int, int]) -> None:
    given = shown(*size)
    for found, right in zip(run(*given), network(*given), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_an_answer_stays_when_the_next_one_comes(run: Function) -> None:
    first = run(*shown(1, 16, 16))
    kept = [part.clone() for part in first]
    run(*shown(1, 16, 16, seed=1))
    for now, before in zip(first, kept, strict=True):
        assert torch.equal(now, before)


@torch.no_grad()
def test_threads_get_their_own_answers(network: Two, run: Function) -> None:
    asked = [shown(1, 16 + seed % 4, 20, seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda given: run(*given), asked))
    for given, found in zip(asked, answers, strict=True):
        torch.testing.assert_close(found[0], network(*given)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("threads", "streams", "used"), [(2, 2, 2), (2, 1, 1), (1, 2, 1)])
def test_calls_at_the_same_time_share_the_threads(network: Two, threads: int, streams: int, used: int) -> None:
    example = torch.rand(1, 3, 16, 16), torch.rand(1, 1, 8, 8)
    made: Any = compiled(network, example, CPU, threads=threads, precision="f32", streams=streams)
    assert int(made._model.get_property("NUM_STREAMS")) == used


def test_without_openvino_or_off_the_cpu_there_is_none(network: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    example = torch.rand(1, 3, 16, 16), torch.rand(1, 1, 8, 8)
    assert compiled(network, example, torch.device("cuda")) is None
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert compiled(network, example, CPU) is None


def test_nobody_is_told_over_the_network() -> None:
    program = (
        "import sys\nfrom segmentation.runtime.openvino import openvino\nassert openvino() is not None\n"
        "assert not any(n.startswith('openvino_telemetry.') for n in sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("allowed", "forbidden"),
    [(None, False), ("", False), ("DEFAULT", False), ("AVX512_CORE_AMX", False), ("AVX2", True), ("avx512_core", True)],
)
def test_bfloat16_is_left_out_where_the_environment_forbids_it(
    allowed: str | None, forbidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if allowed is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    assert bfloat16_forbidden() is forbidden
