"""`manage.py evaluate` runs the DAVIS robot on the videos of a project that have ground truth on every frame.

The evaluation runs in a child process, so that the web application imports neither it nor davisinteractive.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.text import slugify

from segmentation.formats.davis_folder import DavisPaths
from webapp.installation import COMMAND, SAFE_PYTHON, environment_of_child
from webapp.projects.models import Project
from webapp.storage.files import storage
from webapp.videos.models import Video, VideoState
from webapp.videos.storage import VideoFiles, folder_of, read_file


class Command(BaseCommand):
    help = (
        "Compare engines with the DAVIS robot on a project's own videos that have ground truth. What follows -- are "
        f"options of `python -m segmentation.evaluation`, as in {COMMAND} evaluate PROJECT -- --engine flow"
    )
    passed_on: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="name or number of the project")
        parser.add_argument("--out", type=Path, help="folder of the report; default: a new one below HOME/benchmarks")

    def run_from_argv(self, argv: list[str]) -> None:
        """Keep the arguments after `--` for the evaluation program, before argparse reads those of this command."""
        cut = argv.index("--") if "--" in argv else len(argv)
        self.passed_on = argv[cut + 1 :]
        super().run_from_argv(argv[:cut])

    def handle(self, *args: Any, **options: Any) -> None:
        project = _project(options["project"])
        videos = _videos_with_truth(project)
        skipped = project.videos.filter(state=VideoState.READY).count() - len(videos)
        if not videos:
            raise CommandError(
                f"No video of {project.name!r} has ground truth on every frame; import one in the DAVIS layout."
            )
        if skipped:
            self.stderr.write(
                f"{skipped} of {skipped + len(videos)} videos have no complete ground truth and are left out."
            )
        day = timezone.now().strftime("%Y%m%d-%H%M%S")
        out = options["out"] or Path(settings.HOME) / "benchmarks" / f"{slugify(project.name)}-{day}"
        with tempfile.TemporaryDirectory(dir=settings.HOME, prefix="benchmark-") as folder:
            lay_out(videos, Path(folder))
            code = evaluate(Path(folder), out, self.passed_on)
        if code:
            sys.exit(code)


def _project(given: str) -> Project:
    found = Project.objects.filter(pk=int(given)) if given.isdigit() else Project.objects.filter(name=given)
    if len(found) != 1:
        known = ", ".join(f"{p.name!r} ({p.pk})" for p in Project.objects.all()) or "none"
        raise CommandError(
            f"{'Several projects are' if found else 'No project is'} named {given!r}; there are {known}."
        )
    return found[0]


def _videos_with_truth(project: Project) -> list[Video]:
    ready = project.videos.filter(state=VideoState.READY, truth_objects__gt=0)
    return [video for video in ready if len(video.truth_frames) == video.frame_count]


def lay_out(videos: list[Video], root: Path) -> None:
    """Put the files of the videos into the DAVIS layout below `root`, which is on the disk of the data folder.

    A sequence is named after its video and its id.
    """
    for video in videos:
        name = f"{slugify(video.name) or 'video'}-{video.pk}"
        paths, files = DavisPaths(name, video.height), VideoFiles(video.pk)
        for index in range(video.frame_count):
            frame, mask = root / paths.frame(index), root / paths.mask(index)
            for path in (frame, mask):
                path.parent.mkdir(parents=True, exist_ok=True)
            if storage().on_this_disk:
                os.link(folder_of(video.pk).frame(index), frame)
            else:
                frame.write_bytes(read_file(files.frame(index)))
            mask.write_bytes(read_file(files.truth(index)))


def evaluate(root: Path, out: Path, options: Sequence[str]) -> int:
    """Run the evaluation program in this terminal and this working directory, and return its exit status."""
    command = [*SAFE_PYTHON, "-m", "segmentation.evaluation", "--davis-root", str(root), "--out", str(out), *options]
    environment = {**environment_of_child(), "MASKWRIGHT_WEIGHTS": str(settings.CONFIG.weights)}
    return subprocess.run(command, env=environment, check=False).returncode
