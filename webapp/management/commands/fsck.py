"""`manage.py fsck [--repair]`: compare the database with the stored files and masks."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from webapp.operation.stored import check_site
from webapp.storage.site_id import refuse_files_of_another_site
from webapp.videos.belonging import adopt_files


class Command(BaseCommand):
    help = "Check that every mask can be read and every frame is there. Exit code 1 if something stays wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--repair", action="store_true", help="mend what can be mended")
        either.add_argument(
            "--adopt", action="store_true", help="make the stored files those of this database; removes nothing"
        )
        parser.add_argument(
            "--deep", action="store_true", help="decode every frame and compare its hash, which takes long"
        )

    def handle(self, *args: Any, repair: bool, adopt: bool, deep: bool, **options: Any) -> None:
        if adopt:
            self.stdout.write(adopt_files())
        refuse_files_of_another_site()
        left = mended = 0
        with tqdm(desc="Checking", unit="video", file=self.stderr, mininterval=0.2) as bar:

            def move(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            for damage in check_site(repair=repair, deep=deep, on_video=move):
                bar.write(str(damage), file=sys.stdout)
                mended += bool(damage.repaired)
                left += not damage.repaired
        self.stdout.write("Nothing is wrong." if not left + mended else f"{mended} mended, {left} left.")
        if left:
            sys.exit(1)
