"""`make gpu-check`: checks every engine and training on the machine's GPU, in under 8 minutes on one card.

Checks, each of which is a row of the table that is printed at the end:
* the conformance tests of every engine on CUDA in half precision, and the agreement of masks with those of the CPU;
* seconds a frame and peak memory of the networks that ship and of the papers' networks at 480x854;
* three minutes of training in mixed precision, which then goes on from its checkpoint.

It exits with 1 if a check fails. On a machine without CUDA it says so and runs the first check, and a short training,
on a pretended device. That shows mismatched devices and number formats, but neither speed nor memory.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import torch

from segmentation import EngineSettings, create_engine_session, registry
from segmentation.evaluation.measure_engines.scene import Scene
from segmentation.evaluation.paper_weights import GAINS, paper_weights
from segmentation.formats.label_png import write_labels
from segmentation.frames import ArrayFrames
from segmentation.training.loop import CHECKPOINT
from segmentation.training.plan import load_plan
from tests.segmentation.clips import make_clip

ROOT = Path(__file__).parents[1]
ON_CUDA = "tests/segmentation/engines/test_on_cuda.py"
TRAINING_HOURS = (0.025, 0.05)  # the run ends after one and a half minutes, and then goes on for as long
FRAMES = 12
MOST_SECONDS = 1.0  # a frame; a network that computes on the CPU by mistake takes longer


class Missed(Exception):
    """A check that failed. The text says what was measured."""


@dataclass(frozen=True)
class Check:
    """`run` returns what was measured, or raises Missed."""

    name: str
    run: Callable[[], str]


def main() -> int:
    real = torch.cuda.is_available()
    if real:
        print(f"GPU: {torch.cuda.get_device_name()}")
    else:
        print("This machine has no CUDA device that PyTorch can use. The checks run on a pretended device: they show")
        print("wrong devices and number formats, but neither speed nor memory.")
    checks = [Check("conformance and agreement", lambda: tested(ON_CUDA)), *(measured() if real else [])]
    checks.append(Check("training", trained if real else pretended_training))
    rows = [outcome(check) for check in checks]
    print(f"\n{'check':<34}{'':<8}{'seconds':>8}  measured")
    for name, passed, seconds, text in rows:
        print(f"{name:<34}{'ok' if passed else 'MISSED':<8}{seconds:>8.0f}  {text}")
    return 0 if all(passed for _, passed, _, _ in rows) else 1


def outcome(check: Check) -> tuple[str, bool, float, str]:
    print(f"--- {check.name}", flush=True)
    started = time.perf_counter()
    try:
        text, passed = check.run(), True
    except Missed as missed:
        text, passed = str(missed), False
    return check.name, passed, time.perf_counter() - started, text


def tested(path: str, *words: str) -> str:
    """Run a file of tests. Return pytest's last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path, *words]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = done.stdout.strip().splitlines() or ["no output"]
    if done.returncode:
        print(done.stdout)
        raise Missed(lines[-1])
    return lines[-1]


def pretended_training() -> str:
    return tested("tests/segmentation/training/test_on_cuda.py", "-k", "star")


def measured() -> list[Check]:
    """Return a check of speed and memory for each engine with networks, with both sets of weights where there are two.

    The order of the engines is that of the registry.
    """
    shipped = [name for name, spec in registry.ENGINES.items() if spec.needs_weights]
    checks = [Check(f"{name}, as it ships", partial(speed, name, None)) for name in shipped]
    return checks + [Check(f"{name}, size of the paper", partial(paper_speed, name)) for name in GAINS]


def paper_speed(engine: str) -> str:
    with TemporaryDirectory() as folder:
        return speed(engine, paper_weights(engine, Path(folder)))


def speed(engine: str, weights: str | None) -> str:
    """Run two rounds of one object at 480x854. Return the seconds a frame and the peak memory on the device."""
    scene = Scene(1, FRAMES)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    session = create_engine_session(engine, ArrayFrames(scene.frames), 1, EngineSettings("cuda", weights))
    seconds = []
    for interaction in scene.interactions:
        started = time.perf_counter()
        masks = len(list(session.run_round(interaction)))
        torch.cuda.synchronize()
        seconds.append((time.perf_counter() - started) / masks)
    session.close()
    peak = torch.cuda.max_memory_allocated() / 2**30
    text = f"{seconds[0]:.3f} and {seconds[1]:.3f} s a frame in rounds 1 and 2, {peak:.2f} GiB"
    if seconds[1] > MOST_SECONDS:
        raise Missed(f"{text}; at most {MOST_SECONDS} s a frame were expected")
    return text


def trained() -> str:
    """Train interactive STM in mixed precision on generated clips, then go on from the checkpoint."""
    with TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        write_clips(data, load_plan("stm", "compact").validation)
        command = [sys.executable, "-m", "segmentation.training", "stm", "--data", str(data), "--out", str(out)]
        command += ["--device", "cuda", "--precision", "bfloat16", "--workers", "4", "--resume"]
        steps = []
        for hours in TRAINING_HOURS:
            words = [*command, "--hours", str(hours)]
            done = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False)
            if done.returncode:
                raise Missed((done.stderr.strip().splitlines() or ["no message"])[-1])
            steps.append(int(torch.load(out / CHECKPOINT, map_location="cpu", weights_only=True)["step"]))
    if not 0 < steps[0] < steps[1]:
        raise Missed(f"step {steps[0]} and then {steps[1]}: the second run did not go on from the first")
    return f"step {steps[0]} and then {steps[1]}"


def write_clips(data: Path, validation: tuple[str, ...]) -> None:
    """Write generated videos in the layout of the training sets: those for validation, and six to train on."""
    for number, name in enumerate([*validation, *(f"clip-{i}" for i in range(6))]):
        clip = make_clip(length=12, height=240, width=416, num_objects=1 + number % 3, seed=number)
        frames, masks = data / f"clips/JPEGImages/{name}", data / f"clips/Annotations/{name}"
        frames.mkdir(parents=True)
        masks.mkdir(parents=True)
        for i, (frame, labels) in enumerate(zip(clip.frames, clip.truth, strict=True)):
            cv2.imwrite(str(frames / f"{i:05d}.jpg"), frame[..., ::-1])
            write_labels(masks / f"{i:05d}.png", labels)


if __name__ == "__main__":
    sys.exit(main())
