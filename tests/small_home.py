"""Fills a data folder with an owner and a small video, for programs that need no sample video, which is slow to render.

`python -m tests.small_home` fills the data folder of its environment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import django
import numpy as np

from tests.studio import MANAGE, environment_of

PICTURES = 40


def fill(home: Path, **variables: str) -> None:
    """Fill the data folder `home` with an owner and a small video, in a separate process.

    `variables` are settings of that process. With those of team mode, the rows are stored in that database.
    """
    command = [sys.executable, "-m", "tests.small_home"]
    subprocess.run(command, env=environment_of(home, **variables), cwd=MANAGE.parent, check=True)


def _fill_own() -> None:
    django.setup()
    from webapp import first_run
    from webapp.operation.upgrade import migrate
    from webapp.projects.editing import create_project
    from webapp.videos.create import create_video

    migrate(lambda line: None)
    owner = first_run.make_owner()
    assert owner is not None
    project = create_project(by=owner, name="Sample")
    frames = (np.full((90, 160, 3), 6 * number, np.uint8) for number in range(PICTURES))
    create_video(project=project, name="Small", frames=frames, author=owner, fps=24.0)


if __name__ == "__main__":
    _fill_own()
