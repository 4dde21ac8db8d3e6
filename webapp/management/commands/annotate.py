"""`manage.py annotate VIDEO SCRIBBLES.json [more.json ...] --engine NAME --out DIR`: compute masks without the page.

With `--format NAME` the masks are written to the file OUT in one of the formats of exports. The video may be an address
(https://... or s3://...), and it or one of the scribble files may be `-`, the standard input.

The command imports the video, runs a round for each frame with scribbles, and writes the masks. Everything runs in this
process through the functions that the workers use, so `serve` need not run. If it runs on the same data folder, its
worker may claim a round, and the command waits for that round. The video and its rounds stay in the data folder, in a
project of their own, where the page shows them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from segmentation.formats.file_tree import listed
from segmentation.formats.label_png import encode_labels
from segmentation.types import Interaction
from webapp.accounts.models import User
from webapp.annotation.export.files import export_file
from webapp.annotation.export.formats import FORMATS
from webapp.annotation.export.jobs import make_export, run_export
from webapp.annotation.head import head_of
from webapp.annotation.masks import masks_of
from webapp.annotation.models import ExportState, Head, Round, RoundState
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import cancel_round, create_round
from webapp.annotation.scribble_files import interactions_in
from webapp.annotation.scribbles import add_scribble
from webapp.inference import runner
from webapp.inference.work import sessions, work_on
from webapp.local_work import prepare, progress_bar, project_named
from webapp.problems import Problem
from webapp.storage.files import storage
from webapp.videos.create import bring_in
from webapp.videos.downloads import download
from webapp.videos.fetch_sources import is_address
from webapp.videos.importing import OnProgress
from webapp.videos.models import Video
from webapp.videos.sources import Clip, open_source

STANDARD_INPUT = "-"
PROJECT = "Command line"
POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "Compute the masks of a video from scribble files, without the page. Masks are written as DIR/00000.png ..."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "video",
            help="a video file, a folder of pictures, or a zip of them; its address (https:// or, in a bucket, s3://); "
            "-: the standard input",
        )
        parser.add_argument("scribbles", nargs="+", help="files in the JSON of the DAVIS challenge, in order; -: stdin")
        parser.add_argument(
            "--engine", default="default", help="name of an engine; default: the one that the registry prefers"
        )
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            help="folder for the masks: indexed PNG, one a frame; with --format a file",
        )
        parser.add_argument("--format", choices=sorted(FORMATS), help="write OUT in this format of exports")
        parser.add_argument("--sequence", metavar="NAME", help="which one, if the folder or zip holds several videos")

    def handle(
        self,
        *args: Any,
        video: str,
        scribbles: list[str],
        engine: str,
        out: Path,
        format: str | None,
        sequence: str | None,
        **options: Any,
    ) -> None:
        try:
            with _standard_input([video, *scribbles]) as (source, *files):
                _annotate(source, [Path(file) for file in files], engine, out, format, sequence)
        except Problem as problem:
            self.stderr.write(problem.text)
            sys.exit(2)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            sys.exit(130)


@contextmanager
def _standard_input(files: Sequence[str]) -> Iterator[list[str]]:
    """Provide the names of the files, with `-` replaced by a temporary file that holds the standard input."""
    if files.count(STANDARD_INPUT) > 1:
        raise Problem("stdin_twice", "Only one of the files can be -, because the standard input is read once.")
    with tempfile.TemporaryDirectory() as folder:
        stdin = Path(folder, "stdin")
        if STANDARD_INPUT in files:
            with stdin.open("wb") as target:
                shutil.copyfileobj(sys.stdin.buffer, target)
        yield [str(stdin) if file == STANDARD_INPUT else file for file in files]


def _annotate(
    source: str, scribbles: Sequence[Path], engine: str, out: Path, format: str | None, sequence: str | None
) -> None:
    """Compute the masks and write them to the folder `out`, or to a file if `format` names a format of exports."""
    for file in scribbles:  # errors in the files are reported before the work begins
        interactions_in(file)
    engine = _ready_engine(engine)
    _make_folder(out if format is None else out.absolute().parent)
    author = prepare()
    video = _import(source, sequence, author)
    if video.note:
        print(video.note, file=sys.stderr)  # what the import left out or converted, as the page shows it
    try:
        if format is None:
            _check_folder(out, video)
        interactions = [each for file in scribbles for each in interactions_in(file, video.frame_count)]
        for number, interaction in enumerate(interactions, 1):
            _run(video, author, interaction, engine, f"Round {number} of {len(interactions)}")
    except BaseException:
        if not Round.objects.filter(video=video, state=RoundState.DONE).exists():
            video.delete()  # nothing was computed, so there is nothing to look at later
        raise
    finally:
        sessions.clear()
        shutil.rmtree(runner.cache_folder(), ignore_errors=True)  # features that did not fit into memory
    if format is None:
        _write_masks(video, out)
    else:
        _write_export(video, author, format, out)


def _check_folder(out: Path, video: Video) -> None:
    """Raise Problem if the folder has masks of frames that the video does not have, so that no masks are mixed."""
    for path in out.glob("*.png"):
        if path.stem.isdecimal() and int(path.stem) >= video.frame_count:
            text = f"{out} has masks of another video, such as {path.name}. Give another folder, or empty this one."
            raise Problem("bad_folder", text)


def _write_export(video: Video, author: User, format: str, out: Path) -> None:
    made = make_export(by=author, video_id=video.pk, format_name=format)
    run_export(made.pk)
    made.refresh_from_db()
    if made.state != ExportState.DONE:
        raise Problem("export_failed", made.error or "The export was cancelled.")
    with storage().open(export_file(made.pk)) as file, out.open("wb") as target:
        shutil.copyfileobj(file, target)


def _ready_engine(name: str) -> str:
    """Return the name that the registry has for an engine.

    Raises Problem when there is no engine of this name, or its weights are missing.
    """
    try:
        engine = runner.resolve(name)
    except ValueError as error:
        raise Problem("unknown_engine", f"There is no such engine ({error}).") from None
    try:
        runner.weights_label(engine)
    except Exception as error:
        explained = runner.explain(error)
        if explained is None:
            raise
        code, text = explained
        raise Problem(code, text) from None
    return engine


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem("bad_folder", f"The folder {out} cannot be made: {error.strerror}.") from None


def _import(source: str, sequence: str | None, author: User) -> Video:
    with _local(source) as (path, name):
        project = project_named(PROJECT, author)
        with open_source(path) as clips:
            clip = _chosen(clips, source, name, sequence)
            with progress_bar("Import", sys.stderr) as on_progress:
                return bring_in(project=project, clip=clip, name=name, author=author, on_progress=on_progress)


@contextmanager
def _local(source: str) -> Iterator[tuple[Path, str]]:
    """Provide the path of a file or folder and its name without suffix. What an address names is downloaded first."""
    if not is_address(source):
        path = Path(source)
        if not path.exists():
            raise Problem("no_file", f"{source} does not exist.")
        yield path, path.stem
        return
    with tempfile.TemporaryDirectory(dir=settings.HOME, prefix="download-") as folder:
        path = Path(folder, "file")
        with progress_bar("Download", sys.stderr, "B") as on_progress:
            name = download(source, path, on_progress)
        yield path, Path(name).stem or "video"


def _chosen(clips: Sequence[Clip], source: str, name: str, sequence: str | None) -> Clip:
    """Return the clip that `sequence` names, or without it the only one. Raises Problem.

    `name` is that of clips without one of their own.
    """
    if sequence is None and len(clips) == 1:
        return clips[0]
    names = [clip.name or name for clip in clips]
    if sequence is not None and sequence in names:
        return clips[names.index(sequence)]
    said = f"holds {len(clips)} sequences" if sequence is None else f"holds no sequence {sequence!r}"
    raise Problem("several_clips", f"{source} {said}. Name one with --sequence: {listed(names, 10)}.")


def _run(video: Video, author: User, interaction: Interaction, engine: str, title: str) -> None:
    """Run one round from an interaction. Raises Problem with the error text of the round when it fails."""
    frame = interaction.frame
    for scribble in interaction.scribbles:
        number = scribble.object_id
        _add_objects(video, author, number)
        path = scribble.path.tolist()
        add_scribble(video=video, author=author, key=uuid.uuid4(), frame=frame, object_id=number, path=path)
    made = create_round(
        video=video, author=author, key=uuid.uuid4(), frames=[frame], engine=engine, base=head_of(video.pk)
    )
    try:
        with progress_bar(title, sys.stderr) as on_progress:
            _finish(made, on_progress)
    except KeyboardInterrupt:
        cancel_round(video=video, by=author, round_id=made.pk, may_stop_others=True)
        raise
    if made.state != RoundState.DONE:
        raise Problem(made.error_code or "round_failed", made.error or f"The round ended as {made.state}.")


def _finish(made: Round, on_progress: OnProgress) -> None:
    """Compute a round in this process or, if a worker of `serve` has claimed it first, wait until it has ended."""
    while not made.ended:
        if not work_on(made.pk, on_progress):
            time.sleep(POLL_SECONDS)
        made.refresh_from_db()
        on_progress(made.progress_done, made.progress_total)


def _add_objects(video: Video, author: User, number: int) -> None:
    """Add objects up to the id `number`, so that object ids in the masks are those of the scribble file."""
    head, _ = Head.objects.get_or_create(video=video)
    for _ in range(head.next_object_number, number + 1):
        add_object(video=video, author=author)


def _write_masks(video: Video, out: Path) -> None:
    """Write the masks of all frames, or none of them: they are moved into the folder once all are written."""
    with tempfile.TemporaryDirectory(dir=out, prefix=".masks-") as name:
        for mask in masks_of(video.pk, head_of(video.pk)):
            (Path(name) / f"{mask.frame:05}.png").write_bytes(encode_labels(mask.labels))
        written = sorted(Path(name).iterdir())
        if len(written) != video.frame_count:
            raise Problem("no_mask", f"The engine gave masks for {len(written)} of {video.frame_count} frames only.")
        for path in written:
            path.replace(out / path.name)
