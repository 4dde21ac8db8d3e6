"""Shared parts of commands that work without `serve`: tables, an author, a project and a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from webapp import first_run
from webapp.accounts.models import User
from webapp.installation import COMMAND
from webapp.operation.upgrade import migrate
from webapp.problems import Problem
from webapp.projects.editing import create_project
from webapp.projects.models import Project
from webapp.videos.belonging import refuse_wrong_files
from webapp.videos.importing import OnProgress


def prepare() -> User:
    """Bring the tables up to date and return the first active superuser, the author of what a command writes.

    A new data folder gets one. Raises Problem if there are accounts but no active superuser.
    """
    migrate(lambda text: print(text, file=sys.stderr))
    refuse_wrong_files()
    known = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    made = known or first_run.make_owner()
    if made is None:
        raise Problem("no_owner", f"No active superuser is left to work as. Make one: {COMMAND} createsuperuser.")
    return made


def project_named(name: str, owner: User) -> Project:
    """Return the project of this name, and create it if there is none. Raises Problem if there are several."""
    found = list(Project.objects.filter(name=name.strip(), deleted_at=None)[:2])
    if len(found) > 1:
        raise Problem("several_projects", f"Several projects are called {name!r}. Rename one first.")
    return found[0] if found else create_project(by=owner, name=name)


@contextmanager
def progress_bar(title: str, stream: TextIO, unit: str = "frame") -> Iterator[OnProgress]:
    """Show a progress bar of frames or, with the unit "B", of bytes.

    Yields a function to call with the number that is done and the total number (0: unknown).
    """
    scale = unit == "B"
    with tqdm(desc=title, unit=unit, unit_scale=scale, file=stream, dynamic_ncols=True, mininterval=0.2) as bar:

        def move(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield move
        bar.refresh()
