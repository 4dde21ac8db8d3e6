"""The commands `maskwright upload`, `fetch`, `run`, `export` and `import`, which work on a server over REST.

The address and the token of the server are options, or the environment variables MASKWRIGHT_URL and MASKWRIGHT_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskwright.client import ApiError, Maskwright, Progress, Project, Video
from segmentation.formats.scribble_json import ScribbleError, read_scribbles

COMMANDS = ("upload", "fetch", "run", "export", "import")
ADDRESS = "http://127.0.0.1:8710"  # where `maskwright serve` listens by default


def main(words: Sequence[str]) -> int:
    """Run a command line whose first word is one of COMMANDS. Return the exit status."""
    options = parser().parse_args(words)
    if not options.token:
        print("Give a token with --token or MASKWRIGHT_TOKEN. `maskwright token` makes one.", file=sys.stderr)
        return 2
    try:
        with Maskwright(options.url, options.token) as maskwright:
            options.act(maskwright.project(options.project, make=options.command in ("upload", "fetch")), options)
    except (ApiError, ScribbleError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}." if error.filename else error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="maskwright", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, text: str, act: Any) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(act=act)
        url, token = os.environ.get("MASKWRIGHT_URL", ADDRESS), os.environ.get("MASKWRIGHT_TOKEN", "")
        added.add_argument("--url", default=url, help=f"address of the server; default: MASKWRIGHT_URL, else {ADDRESS}")
        made = "`maskwright token` makes one"
        added.add_argument("--token", default=token, help=f"a token that may write ({made}); default: MASKWRIGHT_TOKEN")
        added.add_argument("project", help="name of the project")
        return added

    upload = command("upload", "Upload videos into a project, which is made if there is none.", _upload)
    upload.add_argument("files", nargs="+", type=Path, help="video files, or zips of images")
    fetch = command("fetch", "Let the server get videos itself: from its import folder, buckets or addresses.", _fetch)
    sources = "paths below the import folder, objects or folders of a bucket (s3://...), or addresses (https://...)"
    fetch.add_argument("sources", nargs="+", help=sources)
    run = command("run", "Draw the scribbles of DAVIS files on a video, and run a round for each frame in them.", _run)
    run.add_argument("video", help="name or number of the video")
    run.add_argument("scribbles", nargs="+", type=Path, help="files in the JSON of the DAVIS challenge")
    run.add_argument("--engine", default="default", help="name of an engine; default: the one of the project")
    export = command("export", "Export masks, and download the file.", _export)
    export.add_argument("format", help="name of the format, such as davis, coco or youtube-vis")
    export.add_argument("--out", type=Path, required=True, help="the file to write")
    export.add_argument("--video", help="name or number of a video; default: all that have masks")
    export.add_argument(
        "--job", action="append", type=int, metavar="ID", help="only the frames of this job; repeatable"
    )
    export.add_argument("--frames", action="append", default=[], metavar="A-B", help="only these frames; repeatable")
    export.add_argument("--label", action="append", metavar="NAME", help="only objects with this label; repeatable")
    export.add_argument("--object", action="append", type=int, metavar="ID", help="only this object; repeatable")
    export.add_argument("--accepted-only", action="store_true", help="only accepted frames")
    export.add_argument("--names", choices=("source", "number"), help="what frames are called")
    export.add_argument("--opacity", type=float, metavar="0..1", help="of the colours of an overlay")
    export.add_argument("--contour", type=int, metavar="PIXELS", help="width of the contours of an overlay; 0: none")
    export.add_argument("--color", metavar="#RRGGBB", help="one colour for all objects of an overlay")
    export.add_argument("--background", metavar="#RRGGBB", help="colour around the objects of an overlay")
    export.add_argument("--edge", type=int, metavar="PIXELS", help="half the width of soft edges of mattes; 0: hard")
    export.add_argument("--premultiplied", action="store_true", help="multiply the colours of a video by its alpha")
    export.add_argument("--display-shape", action="store_true", help="stretch pixels that are not square")
    brings = command("import", "Bring masks in from a file: all of it, or nothing.", _import)
    brings.add_argument("file", type=Path, help="a zip, JSON, XML, text or npz file (docs/formats.md)")
    brings.add_argument("--video", help="name or number of a video; default: the names in the file")
    brings.add_argument("--truth", action="store_true", help="as ground truth instead of as masks that can be edited")
    brings.add_argument("--label", action="append", default=[], metavar="FILE=PROJECT", help="a label; repeatable")
    others = brings.add_mutually_exclusive_group()
    others.add_argument("--make-labels", action="store_true", help="make labels that the project lacks")
    others.add_argument("--drop-labels", action="store_true", help="leave out labels that the project lacks")
    return top


def _upload(project: Project, options: argparse.Namespace) -> None:
    for file in options.files:
        with _bar(file.name, "B") as progress:
            video = project.upload(file, progress)
        _print_video(video)


def _fetch(project: Project, options: argparse.Namespace) -> None:
    for source in options.sources:
        with _bar(source.rpartition("/")[2], "B") as progress:
            video = project.fetch(source, progress)
        _print_video(video)


def _print_video(video: Video) -> None:
    info = video.info
    print(f"{info['name']}: video {video.id}, {info['frame_count']} frames. {info['note']}".rstrip())


def _run(project: Project, options: argparse.Namespace) -> None:
    video = project.video(options.video)
    count = video.info["frame_count"]
    drawn = [each for file in options.scribbles for each in read_scribbles(file, count)]
    if not drawn:
        raise ScribbleError("There is no scribble in these files.")
    there = {row["number"] for row in project.connection.get(f"/videos/{video.id}/state")["objects"]}
    wanted = max(scribble.object_id for each in drawn for scribble in each.scribbles)
    for _ in range(max(there, default=0), wanted):
        video.add_object()
    for interaction in drawn:
        for scribble in interaction.scribbles:
            points = [(float(x), float(y)) for x, y in scribble.path]
            video.scribble(interaction.frame, scribble.object_id, points)
        with _bar(f"frame {interaction.frame}", "frame") as progress:
            video.run([interaction.frame], options.engine, progress)
    print(f"{_counted(len(drawn), 'round')} done.")


def _export(project: Project, options: argparse.Namespace) -> None:
    if options.job and (options.video is not None or options.frames):
        raise ApiError("job_and_video", "--job exports all frames of jobs: leave out --video and --frames.")
    if options.object and options.video is None and not options.job:
        raise ApiError("no_video", "--object chooses objects by their numbers in one video: give --video or --job.")
    chosen: dict[str, Any] = {"accepted_only": options.accepted_only}
    chosen |= {"spans": [_span(text) for text in options.frames]} if options.frames else {}
    chosen |= {"labels": options.label} if options.label else {}
    chosen |= {"objects": options.object} if options.object else {}
    chosen |= {"names": options.names} if options.names else {}
    chosen |= {"shape": "display"} if options.display_shape else {}
    look = {name: getattr(options, name) for name in ("opacity", "contour", "color", "background")}
    look = {name: value for name, value in look.items() if value is not None}
    chosen |= {"look": look} if look else {}
    matte = {} if options.edge is None else {"edge": options.edge}
    matte |= {"premultiplied": True} if options.premultiplied else {}
    chosen |= {"matte": matte} if matte else {}
    with _bar(options.format, "frame") as progress:
        if options.job:
            print(project.team.export_jobs(options.job, options.format, options.out, progress, **chosen))
        else:
            what = project if options.video is None else project.video(options.video)
            print(what.export(options.format, options.out, progress, **chosen))


def _import(project: Project, options: argparse.Namespace) -> None:
    labels = dict(_pair(text) for text in options.label)
    others = "make" if options.make_labels else "drop" if options.drop_labels else "ask"
    video = None if options.video is None else project.video(options.video)
    with _bar(options.file.name, "") as progress:
        rows = project.import_masks(
            options.file,
            video=video,
            ground_truth=options.truth,
            labels=labels,
            other_labels=others,
            progress=progress,
        )
    for row in rows:
        print(f"{row['name']}: {_counted(row['frames'], 'frame')}, {_counted(row['objects'], 'object')}.")


def _span(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise ApiError("bad_span", f"--frames {text}: write a range of frames as 0-99.")
    return [int(first), int(last or first)]


def _pair(text: str) -> tuple[str, str | None]:
    name, equals, label = text.partition("=")
    if not equals:
        raise ApiError("bad_label", f"--label {text}: write the label of the file, =, and the label of the project.")
    return name, label or None


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Progress]:
    with tqdm(desc=title, unit=unit, unit_scale=unit == "B", file=sys.stderr, mininterval=0.2) as bar:

        def move(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield move


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
