"""Tells whether the GPU that MASKWRIGHT_DEVICE names can be used, before anything waits for it."""

from __future__ import annotations

import subprocess

from django.conf import settings

from webapp.installation import SAFE_PYTHON, environment_of_child

PROGRAM = "import django; django.setup(); from webapp.inference.device import missing_gpu; print(missing_gpu() or '')"


def missing_gpu() -> str | None:
    """Return a sentence if MASKWRIGHT_DEVICE names a GPU that cannot be used here, otherwise None.

    PyTorch is imported only if a GPU is named.
    """
    wanted = str(settings.CONFIG["MASKWRIGHT_DEVICE"])
    if not wanted.startswith("cuda"):
        return None
    from webapp.inference import runner

    try:
        runner.tried_device()
    except ValueError as error:
        reason = str(error).removeprefix("device: ")
        advice = "Set it to auto, cpu or a GPU that is here, or install the driver of the GPU."
        return f"MASKWRIGHT_DEVICE={wanted!r} cannot be used: {reason}. {advice}"
    return None


def missing_gpu_of_child() -> str | None:
    """Return what `missing_gpu` does, for a process that must not import PyTorch: a child process asks it."""
    if not str(settings.CONFIG["MASKWRIGHT_DEVICE"]).startswith("cuda"):
        return None
    command = [*SAFE_PYTHON, "-c", PROGRAM]
    asked = subprocess.run(command, env=environment_of_child(), stdout=subprocess.PIPE, text=True, check=True)
    return asked.stdout.strip() or None
