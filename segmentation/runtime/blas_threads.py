"""Limits the threads of NumPy's matrix library while an engine computes.

The matrices of engines are small, and the threads of OpenBLAS, which wait by spinning, take the cores from OpenCV,
PyTorch and OpenVINO, so that the first mask comes much later where there are few cores. The environment variable that
`segmentation` sets does not help where NumPy was imported before, as in most notebooks.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context manager inside of which NumPy's matrix library uses only one thread, that of the caller."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited


def with_one_blas_thread(steps: Generator[T]) -> Generator[T]:
    """Yield the values of a generator. `one_blas_thread` applies while it computes a value, not between the values."""
    try:
        while True:
            with one_blas_thread():
                try:
                    value = next(steps)
                except StopIteration:
                    return
            yield value
    finally:
        steps.close()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
