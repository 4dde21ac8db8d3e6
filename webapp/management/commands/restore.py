"""`manage.py restore FILE`: fill an empty data folder and database from a backup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from webapp.operation.backup import BackupFailed, finish_restore, restore_backup
from webapp.operation.database_copy import CopyFailed
from webapp.operation.stored import check_site
from webapp.operation.upgrade import migrate
from webapp.process.home_lock import HomeInUse, HomeLock


class Command(BaseCommand):
    help = "Fill an empty site from a file that `backup` wrote. Nothing changes if the file is damaged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the archive that `backup` wrote")
        parser.add_argument(
            "--keep-files", action="store_true", help="restore only the database, for files that are still there"
        )

    def handle(self, *args: Any, file: Path, keep_files: bool, **options: Any) -> None:
        try:
            HomeLock(settings.HOME, "studio").take()
            with tqdm(desc="Restoring", unit="file", file=self.stderr, mininterval=0.2) as bar:
                manifest = restore_backup(file, keep_files=keep_files, on_file=lambda name: bar.update() and None)
        except (HomeInUse, BackupFailed, CopyFailed, OSError) as problem:
            self.stderr.write(f"maskwright: {problem}")
            sys.exit(2)
        migrate(self.stdout.write)
        if newer := finish_restore(keep_files=keep_files):
            self.stdout.write(newer)
        for finding in check_site(repair=not keep_files, frames=keep_files or manifest.with_frames):
            self.stdout.write(str(finding))
        self.stdout.write(f"Restored the backup of {manifest.created} into {settings.HOME}. People sign in again.")
