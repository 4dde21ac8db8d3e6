"""The command `python -m segmentation.training ENGINE`: trains an engine's networks as a plan (TOML file) says.

A run that was stopped can be resumed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from pathlib import Path

import torch

from segmentation import registry
from segmentation.runtime.device import choose_device
from segmentation.training.curves import draw
from segmentation.training.loop import LOG, Objective, Run, TrainingStopped, start_from
from segmentation.training.plan import Plan, load_plan
from segmentation.training.precision import PRECISIONS, computes_in_half
from segmentation.training.recorded_clips import RecordedClips
from segmentation.training.sources import Sources, find_sources
from segmentation.training.trunks import NO_TRUNK, with_trunk
from segmentation.trunk import TRUNKS


def parser(program: str) -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog=program,
        description="Train an engine's networks as a plan (TOML file) says. A run that was stopped can be resumed.",
    )
    parse.add_argument("engine", help=f"name of the engine: {', '.join(registry.objectives())}")
    parse.add_argument("--config", default="compact", help="name of a plan, or a TOML file (compact)")
    parse.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parse.add_argument("--out", type=Path, required=True, help="folder of checkpoints and log")
    parse.add_argument(
        "--validation",
        metavar="NAMES",
        help="videos to validate on, comma separated; default: those of the plan",
    )
    parse.add_argument("--hours", type=float, help="duration of the run; default: the plan's number of steps")
    parse.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    parse.add_argument("--start", type=Path, help="initial weights: a file, or a folder of <network>.safetensors")
    parse.add_argument("--body", help="initial weights of all encoders: a ResNet, MA-Net or STM")
    parse.add_argument("--recordings", type=Path, help="recorded propagations to train on as well (the cutter)")
    parse.add_argument("--own", type=Path, help="weights whose masks the training samples correct (STAR's cutter)")
    parse.add_argument(
        "--trunk",
        choices=(*TRUNKS, NO_TRUNK),
        help="the frozen trunk (STAR, MA-Net), or none to make sure that the plan uses none; default: the plan's",
    )
    parse.add_argument("--features", type=Path, help="folder for the frozen trunk's features of clips")
    parse.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parse.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="by default bfloat16 where the processor is fast in it"
    )
    parse.add_argument("--threads", type=int, default=0, help="threads of PyTorch on the CPU; 0 = one per core")
    parse.add_argument("--workers", type=int, default=1, help="processes that make clips")
    return parse


def objective_of(plan: Plan) -> Callable[..., Objective]:
    """Return the class that computes the training loss for the engine of a plan.

    Raises ValueError if no engine in the registry has a class of the name `plan.engine`; the message lists the known
    names.
    """
    known = registry.objectives()
    if plan.engine not in known:
        raise ValueError(f"engine: the plan trains {plan.engine!r}, known are {', '.join(known)}")
    found: Callable[..., Objective] = registry.load(known[plan.engine])
    return found


def main(arguments: list[str] | None = None, program: str = "python -m segmentation.training") -> int:
    """Train as the command line `arguments` says; None means the arguments of this process.

    `program` is what the person typed to start it. The help shows it. Returns the exit status: 0 at the end of the
    run, 2 if it cannot start or go on, 130 after Ctrl+C.
    """
    args = parser(program).parse_args(arguments)
    run: Run | None = None
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        plan = load_plan(args.engine, args.config)
        objective_class = objective_of(plan)
        if args.validation:
            names = (part.strip() for part in args.validation.split(","))
            plan = replace(plan, validation=tuple(name for name in names if name))
        if not plan.validation:
            raise ValueError("the plan names no videos for validation, which chooses the weights: add --validation")
        if args.trunk:
            plan = with_trunk(plan, args.trunk, objective_class)
        for name in ("body", "own", "recordings", "features"):
            if getattr(args, name) and name not in signature(objective_class).parameters:
                raise ValueError(f"--{name} says nothing to {args.engine}: leave it out")
        sources = find_sources(args.data, plan.validation, plan.exclude)
        for sentence in sources.left_out:
            print(f"left out: {sentence}", file=sys.stderr)
        torch.manual_seed(plan.seed)
        options = dict(plan.objective)
        if args.body:
            options["body"] = args.body
        if args.own:
            options["own"] = args.own
        if args.features:
            options["features"] = args.features
        recordings = {"recordings": RecordedClips(args.recordings, sources.videos)} if args.recordings else {}
        device = choose_device(args.device)
        objective = objective_class(plan, device, **options, **recordings)
        objective.half = computes_in_half(args.precision, device)
        if args.start:
            start_from(objective, args.start)
        args.out.mkdir(parents=True, exist_ok=True)
        run = Run(plan, objective, sources, args.out, args.hours, workers=args.workers)
        print(_summary(sources, device), flush=True)
        if args.resume and not run.resume():
            print(f"{args.out} has no checkpoint yet: the run begins at step 0")
        run.train()
    except (ValueError, OSError, TrainingStopped) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _stopped(run)
    print(f"best score on the validation videos: {run.best:.4f}; the weights are in {args.out}")
    _draw_curves(args.out)
    return 0


def _stopped(run: Run | None) -> int:
    """Save the run that Ctrl+C stopped, say where it stands, and return the exit status.

    Before the first step nothing is saved: there is no run yet (`run` is None), or a checkpoint of an earlier run,
    which may have more steps, would be overwritten.
    """
    if run is None or run.step == 0:
        print("training: stopped before the first step", file=sys.stderr)
        return 130
    try:
        run.save()
    except TrainingStopped as error:
        print(f"training: stopped at step {run.step}, which is lost: {error}", file=sys.stderr)
    else:
        print(f"training: stopped at step {run.step}; --resume goes on from there", file=sys.stderr)
    return 130


def _summary(sources: Sources, device: torch.device) -> str:
    """Return a line for the start of a run, whose first step may take minutes."""
    held_out = ", ".join(video.name for video in sources.validation)
    return (
        f"training on {len(sources.videos)} videos and {len(sources.stills)} pictures, on {device}; "
        f"validating on {held_out}"
    )


def _draw_curves(out: Path) -> None:
    """Write curves.svg, or print why that is impossible. The weights are good either way."""
    try:
        (out / "curves.svg").write_text(draw(out / LOG))
    except (ValueError, OSError) as error:
        print(f"no curves.svg: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
