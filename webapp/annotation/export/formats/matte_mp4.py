"""The export format matte MP4: a video in grey that shows the soft matte of the objects."""

from __future__ import annotations

from functools import partial

from webapp.annotation.export.format import Format
from webapp.annotation.export.mattes import write_matte_video
from webapp.annotation.export.video_file import Encoding

CRF = "12"  # Quality of H.264: higher than for pictures, since compression shows at the edges of a matte.

FORMAT = Format(
    name="matte-mp4",
    title="Matte video",
    note="An mp4 (H.264) in grey: the soft matte of all objects together, white where they are. For luma keys.",
    suffix="mp4",
    media_type="video/mp4",
    write=partial(
        write_matte_video, encoding=Encoding("mp4", "libx264", "yuv420p", {"crf": CRF, "preset": "veryfast"})
    ),
    of_project=False,
    takes=("matte",),
)
