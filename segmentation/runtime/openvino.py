"""Networks compiled for this CPU by OpenVINO: what PyTorch computes, in a half to two thirds of the time.

It computes in float32, but in bfloat16 on x86 processors that have it: nearly the same then, and faster still.
"""

from __future__ import annotations

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
AT_A_TIME = 4  # objects in a call: OpenVINO keeps the memory that the largest call took
EXACT = "f32"  # for masks that lead to others: what bfloat16 changes would grow from frame to frame and round to round
STREAMS = 2  # calls that run at the same time, each on its share of the threads

_tracing = Lock()  # PyTorch notes what it traces in one place for all threads
Function = Callable[..., tuple[Tensor, ...]]


def openvino() -> Any:
    """The module `openvino`, or None where it is not installed.

    A package beside it would tell its makers over the network that it was imported; that one is kept from loading.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError):  # OSError: its libraries do not fit this system
        return None
    return openvino


def compiled(
    module: nn.Module,
    example: Sequence[Tensor],
    device: torch.device,
    *,
    threads: int | None = None,
    precision: str | None = None,
) -> Function | None:
    """`module` as a function of tensors like those of `example`, of any sizes; None without OpenVINO or off the CPU.

    It returns a tuple, also of one tensor; several threads may call it at the same time.

    Args:
        module: computes with tensors alone, without branches that depend on them.
        threads: at most; None: as many as PyTorch takes in this thread now.
        precision: "f32" or "bf16"; None: the faster one on an x86 processor, "f32" elsewhere, where OpenVINO would take
            float16.
    """
    vino = openvino() if device.type == "cpu" else None
    if vino is None:
        return None
    # Tracing warns of sizes that look constant, which they are not to OpenVINO, and of its own age: OpenVINO traces in
    # the same way, but twice, to compare. For good, as what is put back in one thread may be put back too late.
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit.trace", category=DeprecationWarning)
    with _tracing, torch.no_grad():
        traced = torch.jit.trace(module, tuple(example), check_trace=False)
        model = vino.convert_model(traced, example_input=tuple(example))
    threads = threads or torch.get_num_threads()
    options: dict[str, str | int | bool] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": min(STREAMS, threads),
        "ENABLE_CPU_PINNING": False,  # workers beside each other would be pinned to the same cores
    }
    if precision is None and platform.machine() not in X86:
        precision = "f32"
    if precision is not None:
        options["INFERENCE_PRECISION_HINT"] = precision
    return _Compiled(vino.Core().compile_model(model, "CPU", options))


class _Compiled:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._outputs = range(len(model.outputs))
        self._idle: SimpleQueue[Any] = SimpleQueue()  # requests, each with memory of its own

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
    """Let `module` compute with a function from now on."""
    module.forward = forward  # type: ignore[assignment]
