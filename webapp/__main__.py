"""The command `maskwright`, also started as `python -m webapp` or `python manage.py`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

TRAIN = "import sys; from segmentation.training.__main__ import main; sys.exit(main(program={program!r}))"
REMOTE = ("upload", "fetch", "run", "export", "import")  # These work on a server over REST.
OVERVIEW = """\
usage: maskwright [--home DIR] COMMAND [options]

  serve          start Maskwright: the web process and the workers
  annotate       cut objects out of a video without the page
  upload         upload videos to a server
  fetch          let a server get videos from its import folder, a bucket or an address
  run            draw scribbles on a video of a server and run rounds
  export         export masks from a server to a file
  import         bring masks from a file to a server
  evaluate       compare an engine with ground truth
  train          train the networks of an engine
  weights        list, add and check the weights of the engines
  doctor         check this machine
  backup         write the database and the files of this site into an archive
  restore        fill an empty site from such an archive
  fsck           check that every stored file is there and can be read
  token          make a token with which scripts call the REST API
  sign_in_link   print a link that signs a person in once
  migrate        bring the database up to date

`maskwright COMMAND --help` explains a command, `maskwright help` lists all of them.
Data is kept in --home, else in MASKWRIGHT_HOME, else in data/ of a clone or in the user's data folder."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line `arguments`, without the program's name. None means the arguments of this process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in ([], ["--help"], ["-h"]):
        print(OVERVIEW)
        return
    if words == ["version"] or words[-1:] == ["--version"]:
        from importlib.metadata import version

        print(f"maskwright {version('maskwright')}")
        return
    words = _take_home(words)
    if words[0] in REMOTE:
        from maskwright.command_line import main as run_remote

        sys.exit(run_remote(words))
    if words[0] == "train":  # In a program of its own, because this one never loads PyTorch.
        from webapp.installation import COMMAND, SAFE_PYTHON, environment_of_child

        program = TRAIN.format(program=f"{COMMAND} train")
        os.execve(sys.executable, [*SAFE_PYTHON, "-c", program, *words[1:]], environment_of_child())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from webapp.process.command_line import run

    run(["maskwright", *words])


def _take_home(words: list[str]) -> list[str]:
    """Return the command line `words` without `--home DIR` at its front.

    The folder becomes the environment variable MASKWRIGHT_HOME, which the settings and child processes read. Exits with
    status 2 if the folder or the command is missing.
    """
    if not words[0].startswith("--home"):
        return words
    name, equals, folder = words[0].partition("=")
    rest = words[1:]
    if name == "--home" and not equals:
        folder, rest = (rest[0], rest[1:]) if rest else ("", [])
    if name != "--home" or not folder or not rest:
        print("maskwright: write `maskwright --home DIR COMMAND`, with a folder and a command.", file=sys.stderr)
        sys.exit(2)
    os.environ["MASKWRIGHT_HOME"] = folder
    return rest


if __name__ == "__main__":
    main()
