"""The export format WebM with alpha: a small video with an alpha channel, which browsers can show over any
background.
"""

from __future__ import annotations

from functools import partial

from webapp.annotation.export.format import Format
from webapp.annotation.export.mattes import write_alpha_video
from webapp.annotation.export.video_file import Encoding

ENCODING = Encoding(
    "webm",
    "libvpx-vp9",
    "yuva420p",
    {"crf": "24", "b:v": "0", "deadline": "good", "cpu-used": "5", "auto-alt-ref": "0"},
)

FORMAT = Format(
    name="webm",
    title="WebM with alpha",
    note="A webm (VP9) of the frames in which only the objects are seen; browsers show it over a page.",
    suffix="webm",
    media_type="video/webm",
    write=partial(write_alpha_video, encoding=ENCODING),
    of_project=False,
    takes=("matte", "premultiplied"),
)
