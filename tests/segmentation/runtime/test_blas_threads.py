"""Tests that NumPy's matrix library uses one thread while an engine computes, and its former number otherwise."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from threadpoolctl import ThreadpoolController

from segmentation.runtime.blas_threads import with_one_blas_thread


def threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [each["num_threads"] for each in ThreadpoolController().select(user_api="blas").info()]


def test_each_step_has_one_thread_and_the_caller_keeps_its_own() -> None:
    closed = []

    def steps() -> Generator[list[int]]:
        try:
            yield threads()
            yield threads()
        finally:
            closed.append(True)

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        own = threads()
        for seen in with_one_blas_thread(steps()):
            assert set(seen) == {1}
            assert threads() == own
        generator = with_one_blas_thread(steps())
        next(generator)
        generator.close()
    assert closed == [True, True]
