"""`manage.py measure_latency` measures how fast Maskwright is on this machine, in a temporary data folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from webapp.installation import COMMAND_LINE

OWN_FOLDER = "MASKWRIGHT_LATENCY_FOLDER"  # tells the child process that its data folder is the temporary one


class Command(BaseCommand):
    help = (
        "Measure the studio: codec, way of a mask, first mask, round rate, previews, painted masks. Your data is left "
        "alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--engine", default="default")

    def handle(self, *args: Any, engine: str, **options: Any) -> None:
        if os.environ.get(OWN_FOLDER) == str(settings.HOME):
            sys.exit(0 if self.measure(engine) else 1)
        with tempfile.TemporaryDirectory(prefix="maskwright-latency-") as folder:
            environment = {**os.environ, "MASKWRIGHT_HOME": folder, OWN_FOLDER: os.path.realpath(folder)}
            for name in ("REDIS_URL", "DATABASE_URL"):
                environment.pop(name, None)  # the requirements are for embedded mode
            command = [*COMMAND_LINE, "measure_latency", "--engine", engine]
            sys.exit(subprocess.run(command, env=environment).returncode)

    def measure(self, engine: str) -> bool:
        """Print a table of the measured values and return whether all requirements are met."""
        from webapp.latency import measure  # only the child process needs this module

        kept = True
        for measurement in measure(engine, lambda text: self.stderr.write(text)):
            promise = (
                ""
                if measurement.limit is None
                else f"{'at least' if measurement.at_least else 'at most'} {measurement.limit:g}"
            )
            mark = "" if measurement.kept else "  MISSED"
            self.stdout.write(
                f"{measurement.name:<56} {measurement.value:>10.2f} {measurement.unit:<9} {promise}{mark}"
            )
            self.stdout.flush()
            kept = kept and measurement.kept
        return kept
