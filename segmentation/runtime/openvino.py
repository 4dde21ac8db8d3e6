"""Compiles networks with OpenVINO for this CPU, which makes them faster than with PyTorch.

`python -m segmentation.evaluation.measure_engines runtimes` shows how much faster. OpenVINO computes in float32, or by
default in bfloat16 on x86 processors that support it. The results then differ slightly from PyTorch's.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

X86 = ("x86_64", "AMD64")
AT_A_TIME = 4  # most objects in one call, because OpenVINO keeps the memory that its largest call needed
EXACT = "f32"  # precision where each mask depends on the one before: errors of bfloat16 would add up
WITH_BFLOAT16 = ("DEFAULT", "ALL", "BF16", "FP16", "AMX", "AVX10")  # parts of oneDNN's names of instruction sets
STREAMS = 2  # calls that can run at the same time: a round computes frames ahead in a second thread

_tracing = Lock()  # PyTorch's tracer has one state for all threads
Function = Callable[..., tuple[Tensor, ...]]


def openvino() -> Any:
    """Import and return the module `openvino`, or return None if it is not installed.

    The package `openvino_telemetry`, which would report the import over the network, is not loaded.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError):  # OSError: its libraries do not load on this system
        return None
    return openvino


def compiled(
    module: nn.Module,
    example: Sequence[Tensor],
    device: torch.device,
    *,
    threads: int | None = None,
    precision: str | None = None,
    streams: int = STREAMS,
) -> Function | None:
    """Compile a module to a function of tensors. Returns None where OpenVINO is missing or `device` is not the CPU.

    The function returns a tuple of tensors, and several threads may call it at the same time.

    Args:
        module: takes and returns tensors, without branches that depend on their values.
        example: arguments of the module for tracing. Later arguments may have other sizes.
        threads: how many threads it may use; None: as many as PyTorch uses in this thread now.
        precision: "f32" or "bf16"; None: the faster one on an x86 processor, and "f32" elsewhere, where OpenVINO would
            choose float16. It is also "f32" if a variable of the environment forbids bfloat16 (`bfloat16_forbidden`).
        streams: how many calls can run at the same time, each on its share of the threads. With 1, a call has all
            threads: the right number for a network that is only called while nothing else is computed.
    """
    vino = openvino() if device.type == "cpu" else None
    if vino is None:
        return None
    # The tracer warns that sizes become constants, which is not so in OpenVINO, and that it is deprecated. The filters
    # are not removed afterwards, because this would affect another thread that is tracing.
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit.trace", category=DeprecationWarning)
    with _tracing, torch.no_grad():
        traced = torch.jit.trace(module, tuple(example), check_trace=False)
        model = vino.convert_model(traced, example_input=tuple(example))
    threads = threads or torch.get_num_threads()
    options: dict[str, str | int | bool] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": min(streams, threads),
        "ENABLE_CPU_PINNING": False,  # with pinning, several worker processes would use the same cores
    }
    if precision is None and (platform.machine() not in X86 or bfloat16_forbidden()):
        precision = "f32"
    if precision is not None:
        options["INFERENCE_PRECISION_HINT"] = precision
    return _Compiled(vino.Core().compile_model(model, "CPU", options))


def bfloat16_forbidden() -> bool:
    """Return whether the environment restricts oneDNN, OpenVINO's library, to instructions without bfloat16.

    OpenVINO asks the processor only. It chooses bfloat16 all the same, and then computes slowly or crashes.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "DEFAULT"
    return not any(name in allowed.upper() for name in WITH_BFLOAT16)


class _Compiled:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._outputs = range(len(model.outputs))
        self._idle: SimpleQueue[Any] = (
            SimpleQueue()
        )  # inference requests that no thread is using; each has its own memory

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        request.infer({i: tensor.contiguous().numpy() for i, tensor in enumerate(inputs)}, share_inputs=True)
        found = tuple(torch.from_numpy(request.get_output_tensor(i).data.copy()) for i in self._outputs)
        self._idle.put(request)
        return found


def replace_forward(module: nn.Module, forward: object) -> None:
    """Replace the method `forward` of a module by a function, such as a compiled one."""
    replace_method(module, "forward", forward)


def replace_method(module: nn.Module, name: str, function: object) -> None:
    """Replace the method `name` of a module by a function."""
    setattr(module, name, function)
