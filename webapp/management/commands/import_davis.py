"""`manage.py import_davis ROOT --project NAME`: import a folder in the DAVIS layout, with masks as ground truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from segmentation.formats.davis_layout import is_davis
from segmentation.formats.file_tree import FolderTree
from webapp.accounts.models import User
from webapp.local_work import prepare, progress_bar, project_named
from webapp.problems import Problem
from webapp.projects.models import Project
from webapp.videos.create import bring_in
from webapp.videos.models import VideoState
from webapp.videos.sequences import PictureSequence, find_sequences


class Command(BaseCommand):
    help = "Bring a folder in the DAVIS layout in: one video for each sequence, with its masks as ground truth."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("root", type=Path, help="the folder that holds JPEGImages and Annotations")
        parser.add_argument("--project", required=True, help="name of the project; made when there is none")
        parser.add_argument("--sequence", action="append", default=[], help="only this one; may be given several times")

    def handle(self, *args: Any, root: Path, project: str, sequence: list[str], **options: Any) -> None:
        try:
            sequences = _sequences(root, sequence)
            owner = prepare()
            target = project_named(project, owner)
        except Problem as problem:
            self.stderr.write(problem.text)
            sys.exit(2)
        outcomes = [self._bring(video, target, owner) for video in sequences]
        self.stdout.write(f"{outcomes.count('new')} of {len(outcomes)} sequences are new in project {target.name!r}.")
        if "refused" in outcomes:
            sys.exit(2)

    def _bring(self, sequence: PictureSequence, project: Project, author: User) -> str:
        if project.videos.filter(name=sequence.name, state=VideoState.READY).exists():
            self.stdout.write(f"{sequence.name}: is there already.")
            return "known"
        try:
            with progress_bar(sequence.name, sys.stderr) as on_progress:
                video = bring_in(
                    project=project, clip=sequence, name=sequence.name, author=author, on_progress=on_progress
                )
        except Problem as problem:
            self.stderr.write(f"{sequence.name}: {problem.text}")
            return "refused"
        masks = f"{len(video.truth_frames)} with masks" if video.truth_frames else "no masks"
        self.stdout.write(f"{video.name}: {video.frame_count} frames, {masks}. {video.note}".rstrip())
        return "new"


def _sequences(root: Path, wanted: list[str]) -> list[PictureSequence]:
    if not root.is_dir():
        raise Problem("no_folder", f"{root} is not a folder.")
    files = FolderTree(root)
    if not is_davis(files.names):
        raise Problem("no_davis", f"{root} has no pictures below a folder JPEGImages.")
    found = find_sequences(files, files.broken)
    names = {video.name for video in found}
    if unknown := [name for name in wanted if name not in names]:
        raise Problem("no_sequence", f"There is no sequence {unknown[0]!r}; there are {', '.join(sorted(names))}.")
    return [video for video in found if not wanted or video.name in wanted]
