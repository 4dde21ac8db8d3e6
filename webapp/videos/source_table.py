"""The names and time stamps that the frames of a video had in the files from which it was imported.

They are stored in source.json in the video's folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from webapp.videos.storage import VideoFiles, VideoFolder, read_file


@dataclass(frozen=True)
class SourceTable:
    """The name and time stamp of the source of each frame, in the order of frames.

    A name is "" and a time None where the source has none.
    """

    names: list[str]  # Names of picture files, such as "IMG_0005.jpg".
    times: list[float | None]  # Time stamps of a video file, in seconds.

    def stems(self) -> list[str] | None:
        """Return the names without their suffixes. None if a frame has no name or two have the same."""
        stems = [PurePosixPath(name).stem for name in self.names]
        return stems if all(stems) and len({stem.casefold() for stem in stems}) == len(stems) else None


def write_source_table(folder: VideoFolder, table: SourceTable) -> int:
    """Write the names and time stamps into a video's folder, and return the size of the file in bytes.

    Nothing is written, and 0 is returned, if no frame has a name or a time stamp.
    """
    if not any(table.names) and not any(time is not None for time in table.times):
        return 0
    return folder.source.write_text(json.dumps({"names": table.names, "times": table.times}), encoding="utf-8")


def read_source_table(video_id: int, count: int) -> SourceTable:
    """Read the table of a video with `count` frames. If none was stored, all names are "" and all times None."""
    try:
        stored = json.loads(read_file(VideoFiles(video_id).source))
    except FileNotFoundError:
        return SourceTable([""] * count, [None] * count)
    return SourceTable(stored["names"], stored["times"])
