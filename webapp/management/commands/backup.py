"""`manage.py backup FILE`: write the database, the frames and the weights into one file, while Maskwright runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from webapp.operation.backup import BackupFailed, check_backup, write_backup
from webapp.operation.database_copy import CopyFailed
from webapp.storage.failure import WrongFiles
from webapp.storage.site_id import refuse_files_of_another_site


class Command(BaseCommand):
    help = "Write the database, the frames and the weights into one tar file. Maskwright may run meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the archive to write, such as maskwright.tar")
        parser.add_argument(
            "--without-frames",
            action="store_true",
            help="leave out frames and thumbnails, which take most space",
        )
        parser.add_argument("--check", action="store_true", help="only read FILE and compare it with its manifest")

    def handle(self, *args: Any, file: Path, without_frames: bool, check: bool, **options: Any) -> None:
        with tqdm(desc="Checking" if check else "Backup", unit="file", file=self.stderr, mininterval=0.2) as bar:
            try:
                if check:
                    manifest = check_backup(file, on_file=lambda name: _step(bar))
                else:
                    refuse_files_of_another_site()
                    manifest = write_backup(file, with_frames=not without_frames, on_file=lambda name: _step(bar))
            except (BackupFailed, CopyFailed, WrongFiles, OSError) as problem:
                bar.close()
                self.stderr.write(f"maskwright: {problem}")
                sys.exit(2)
        size = sum(size for size, _ in manifest.files.values())
        verb = "is sound" if check else "was written"
        self.stdout.write(f"{file} {verb}: {len(manifest.files)} files, {size / 1e6:.1f} MB.")
        if manifest.left_out:
            ids = ", ".join(map(str, manifest.left_out))
            self.stdout.write(f"Deleted meanwhile, or without files, and therefore left out: videos {ids}.")


def _step(bar: tqdm[Any]) -> None:
    bar.update()
