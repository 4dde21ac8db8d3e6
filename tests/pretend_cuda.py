"""Pretends that there is a CUDA device: PyTorch's CPU kernels compute behind tensors that report `cuda:0`.

    with pretended_cuda():
        network.to("cuda")(images)  # This raises RuntimeError, because `images` is on the CPU.

Operations that fail on a GPU fail here too: tensors of two devices in one operation (except for scalars and for CPU
indices), and the conversion to NumPy of a tensor that is on the device. Half precision is computed as such, so
mismatched types and overflows show up. Not covered are speed, memory on the device, kernels that CUDA lacks or that
compute in another order, streams, and autocast (which PyTorch turns off without a GPU). Autograd needs a device that a
CPU build of PyTorch knows: with `pretended_cuda(gradients=True)`, tensors report the device "meta" instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Thread
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

CUDA, META = torch.device("cuda", 0), torch.device("meta")
AUTOCAST, LOAD = torch.autocast, torch.load
aten = torch.ops.aten
ACROSS = {  # operations that may take tensors on two devices
    aten.copy_.default,
    aten._to_copy.default,
    aten._has_compatible_shallow_copy_type.default,
}
INDEXED = {  # operations that take CPU indices for tensors of any device
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
}


class OnCuda(Tensor):
    """A tensor that claims to be on the GPU. `inside` is the CPU tensor that holds the values."""

    inside: Tensor
    place = CUDA

    @staticmethod
    def __new__(cls, inside: Tensor) -> OnCuda:
        with torch.inference_mode(False):  # A view of a parameter cannot be an inference tensor.
            made: OnCuda = Tensor._make_wrapper_subclass(
                cls,
                inside.shape,
                strides=inside.stride(),
                storage_offset=inside.storage_offset(),
                dtype=inside.dtype,
                device=cls.place,
                requires_grad=inside.requires_grad,
            )
        return made

    def __init__(self, inside: Tensor) -> None:
        self.inside = inside.detach()

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnCuda({self.inside!r})"

    def __reduce_ex__(self, protocol: Any) -> Any:  # A saved file holds the CPU tensor.
        return self.inside.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        target = kwargs.pop("device", None)
        if target is not None:
            kwargs["device"] = torch.device("cpu")
        if func not in ACROSS:
            _check_devices(func, args, kwargs)
        found = func(*_mapped(_inside, args), **_mapped(_inside, kwargs))
        written = _written(func, args, kwargs)
        if written is not None:
            return written
        if target is not None and torch.device(target).type == "cpu":
            return found
        return _mapped(_outside, found)


def _check_devices(func: Any, args: Any, kwargs: Any) -> None:
    tensors = list(_tensors((args, kwargs)))
    if func in INDEXED:  # Index tensors may be on the CPU, the other tensors may not.
        tensors = [args[0], *(x for x in args[2:] if isinstance(x, Tensor))]
    strangers = [x for x in tensors if x.device.type == "cpu" and x.dim() > 0]
    if strangers and len(strangers) < len(tensors):
        shapes = ", ".join(f"{x.device} {tuple(x.shape)}" for x in tensors)
        raise RuntimeError(f"{func}: expected all tensors on one device, found {shapes}")


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the argument that an in-place `func` writes into, or None if `func` returns new tensors."""
    if not func._schema.is_mutable or len(func._schema.returns) != 1:
        return None
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return kwargs.get(argument.name, args[place] if place < len(args) else None)
    return None


def _inside(value: Any) -> Any:
    if isinstance(value, Tensor) and value.device == META and not isinstance(value, OnCuda):
        return torch.zeros(value.shape, dtype=value.dtype)  # the gradient of an output that the loss does not use
    return value.inside if isinstance(value, OnCuda) else value


def _outside(value: Any) -> Any:
    return OnCuda(value) if isinstance(value, Tensor) and not isinstance(value, OnCuda) else value


def _mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Return `value` with `change` applied to everything in it that is no list, tuple or dict.

    It does for these what PyTorch's `tree_map` does, which would take half of the time of the tests.
    """
    kind = type(value)
    if kind is tuple:
        return tuple([_mapped(change, part) for part in value])
    if kind is list:
        return [_mapped(change, part) for part in value]
    if kind is dict:
        return {key: _mapped(change, part) for key, part in value.items()}
    return tree_map(change, value) if isinstance(value, tuple) else change(value)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in `value`, also those in its lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _names_cuda(value: Any) -> bool:
    if isinstance(value, str):
        return value == "cuda" or value.startswith("cuda:")
    return isinstance(value, torch.device) and value.type in ("cuda", "meta")


class _Placing(TorchFunctionMode):
    """Makes calls that name the device, such as `torch.zeros(3, device="cuda")` and `x.to("cuda")`, return OnCuda.

    Without a GPU, PyTorch would raise an error in such a call before it reaches `OnCuda.__torch_dispatch__`.
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if args and isinstance(args[0], OnCuda) and func in OWN_WAYS:
            return OWN_WAYS[func](*args, **kwargs)
        if not _wants_cuda(func, args, kwargs):
            return func(*args, **kwargs)
        if func is Tensor.cuda:
            return _outside(args[0])
        on_cpu = _mapped(lambda value: torch.device("cpu") if _names_cuda(value) else value, (args, kwargs))
        if func is not Tensor.to:
            return _outside(func(*_mapped(_inside, on_cpu[0]), **on_cpu[1]))
        moved, *rest = on_cpu[0]
        return _Move.apply(moved, tuple(_inside(x) for x in rest), on_cpu[1])


# Replacements for methods whose C++ code selects the device or converts to NumPy before it calls __torch_dispatch__.


def _contiguous(tensor: Tensor, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    return tensor if tensor.is_contiguous(memory_format=memory_format) else tensor.clone(memory_format=memory_format)


def _no_numpy(*_: Any, **__: Any) -> Any:
    raise TypeError("can't convert cuda:0 device type tensor to numpy: copy it to host memory first")


def _read(tensor: Tensor, index: Any) -> Tensor:
    part, tensors = _sliced(tensor, index)
    return aten.index.Tensor(part, tensors) if tensors else part


def _write(tensor: Tensor, index: Any, value: Any) -> None:
    part, tensors = _sliced(tensor, index)
    if not isinstance(value, Tensor):
        value = OnCuda(torch.full((), value, dtype=tensor.dtype))
    if tensors:
        aten.index_put_.default(part, tensors, value.to(tensor.dtype))
    else:
        aten.copy_.default(part, value)


def _sliced(tensor: Tensor, index: Any) -> tuple[Tensor, list[Tensor | None]]:
    """Apply the integers, slices and None in `index` to `tensor`. Return the view that results, and the index tensors.

    The list of index tensors is in the form that `aten.index` takes, and is empty if `index` has none.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    parts = [torch.from_numpy(np.asarray(x, None if len(x) else np.int64)) if _is_list(x) else x for x in parts]
    taken = sum(x.dim() if isinstance(x, Tensor) and x.dtype == torch.bool else x is not None for x in parts)
    if any(x is Ellipsis for x in parts):
        where = next(place for place, x in enumerate(parts) if x is Ellipsis)
        parts[where : where + 1] = [slice(None)] * (tensor.dim() - taken + 1)
    tensors: list[Tensor | None] = []
    for part in parts:
        place = len(tensors)
        if part is None:
            tensor = tensor.unsqueeze(place)
            tensors.append(None)
        elif isinstance(part, slice):
            tensor = aten.slice.Tensor(tensor, place, part.start, part.stop, part.step or 1)
            tensors.append(None)
        elif isinstance(part, Tensor) and part.dim() > 0:
            tensors += [part] + [None] * (part.dim() - 1 if part.dtype == torch.bool else 0)
        else:
            tensor = tensor.select(place, int(part))
    if any(x is not None for x in tensors):
        return tensor, [x for place, x in enumerate(tensors) if not _under_bool(tensors, place)]
    return tensor, []


def _is_list(part: Any) -> bool:
    return isinstance(part, list | np.ndarray)


def _under_bool(tensors: list[Tensor | None], place: int) -> bool:
    """Return whether a boolean index of several dimensions, earlier in `tensors`, also covers dimension `place`."""
    for back in range(1, place + 1):
        mask = tensors[place - back]
        if mask is not None and mask.dtype == torch.bool and mask.dim() > back:
            return True
    return False


OWN_WAYS: dict[Any, Callable[..., Any]] = {
    Tensor.contiguous: _contiguous,
    Tensor.numpy: _no_numpy,
    Tensor.__array__: _no_numpy,
    Tensor.__getitem__: _read,
    Tensor.__setitem__: _write,
    torch.nonzero: aten.nonzero.default,
    Tensor.nonzero: aten.nonzero.default,
    Tensor.copy_: aten.copy_.default,
    Tensor.__invert__: torch.bitwise_not,
    Tensor.item: lambda tensor: tensor.inside.item(),
    Tensor.tolist: lambda tensor: tensor.inside.tolist(),
    Tensor.__float__: lambda tensor: float(tensor.inside),
    Tensor.__int__: lambda tensor: int(tensor.inside),
    Tensor.__bool__: lambda tensor: bool(tensor.inside),
    Tensor.__index__: lambda tensor: int(tensor.inside),
}


class _Move(torch.autograd.Function):
    """`tensor.to("cuda", ...)` for autograd: the backward pass moves the gradient back to the device of `tensor`."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        ctx.was = (tensor.dtype, isinstance(tensor, OnCuda))
        moved = _inside(tensor).detach().to(*args, **kwargs)
        return OnCuda(moved)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        dtype, there = ctx.was
        grad = grads[0].to(dtype=dtype)
        return (grad if there else grad.cpu()), None, None


def _wants_cuda(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if func is Tensor.cuda:
        return True
    if getattr(func, "__name__", "") in ("__get__", "__set__", "device", "_parse_to"):
        return False
    if func is Tensor.to and any(isinstance(value, OnCuda) for value in args[1:]):
        return True
    return any(_names_cuda(value) for value in (*args, *kwargs.values()))


def _placed(run: Callable[[Thread], None]) -> Callable[[Thread], None]:
    def placed(thread: Thread) -> None:
        with _Placing():  # PyTorch keeps a mode for each thread.
            run(thread)

    return placed


def _autocast(device_type: str, *args: Any, **kwargs: Any) -> torch.autocast:
    with warnings.catch_warnings():  # PyTorch warns that there is no GPU.
        warnings.simplefilter("ignore", UserWarning)
        return AUTOCAST("cuda" if device_type == "meta" else device_type, *args, **kwargs)


def _load(file: Any, map_location: Any = None, **kwargs: Any) -> Any:
    found = LOAD(file, map_location="cpu" if _names_cuda(map_location) else map_location, **kwargs)
    return tree_map(_outside, found) if _names_cuda(map_location) else found


def real_or_pretended_cuda() -> AbstractContextManager[None]:
    """Return a context manager in which there is a CUDA device: the machine's GPU or, without one, a pretended one."""
    return nullcontext() if torch.cuda.is_available() else pretended_cuda()


@contextmanager
def pretended_cuda(gradients: bool = False) -> Iterator[None]:
    """Pretend inside the `with` block that there is one CUDA device. See the docstring of this module.

    With `gradients`, autograd works, and tensors on the device report the device "meta".
    """
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with (
            patch.object(torch.cuda, "is_available", lambda: True),
            patch.object(torch.cuda, "device_count", lambda: 1),
            patch.object(torch, "autocast", _autocast),
            patch.object(torch, "load", _load),
            patch.object(OnCuda, "place", META if gradients else CUDA),
            patch.object(Thread, "run", _placed(Thread.run)),
            _Placing(),
        ):
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
