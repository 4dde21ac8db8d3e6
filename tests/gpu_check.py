"""`make gpu-check`: checks the engines with networks, and the training, on the machine's GPU, in under 8 minutes.

These checks are run, and a table of their results is printed at the end:
* Some of the tests that every engine must pass are run on CUDA in half precision, and masks are compared with those of
  the CPU.
* The seconds for a frame and the peak GPU memory are measured at 480x854, with the default weights of each engine that
  needs weights, and with random weights for networks of the sizes in the papers.
* A network is trained in mixed precision for three minutes in two runs. The second starts from the first's checkpoint.

The exit status is 1 if a check fails. On a machine without CUDA it runs the first check and a short training on a
device that tests/pretend_cuda.py pretends. That finds tensors on wrong devices or of wrong types, but measures nothing.
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
TRAINING_HOURS = (0.025, 0.05)  # of the first run, and of both runs together: 1.5 and 3 minutes
FRAMES = 12
MOST_SECONDS = 1.0  # for a frame; a network that runs on the CPU by mistake takes longer


class Missed(Exception):
    """Raised by a check that fails. The text of the exception says what was measured."""


@dataclass(frozen=True)
class Check:
    """A named check. `run` returns a text that says what was measured, and raises Missed if the check fails."""

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
    """Run pytest on the file `path` with further arguments `words`, and return the last line that it prints.

    Raise Missed with that line if a test fails.
    """
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
    """Return the checks of speed and memory, with the default weights and for the networks of the papers.

    There is a check for each engine that needs weights, and another for each engine of a paper, with networks of the
    paper's size.
    """
    shipped = [name for name, spec in registry.ENGINES.items() if spec.needs_weights]
    checks = [Check(f"{name}, as it ships", partial(speed, name, None)) for name in shipped]
    return checks + [Check(f"{name}, size of the paper", partial(paper_speed, name)) for name in GAINS]


def paper_speed(engine: str) -> str:
    with TemporaryDirectory() as folder:
        return speed(engine, paper_weights(engine, Path(folder)))


def speed(engine: str, weights: str | None) -> str:
    """Run two rounds of an engine on CUDA with one object at 480x854. Return the seconds a frame and peak memory.

    `weights` is a checkpoint or a folder of checkpoints, or None for the default weights. Raise Missed if a frame of
    the second round takes longer than MOST_SECONDS.
    """
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
    """Train the engine STM in mixed precision on generated videos, in two runs. Return a text with the steps reached.

    The second run continues from the checkpoint of the first.
    """
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
    """Write generated videos and their masks below `data`, in the layout of the training sets.

    There is a video for each name in `validation`, and six videos to train on.
    """
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
