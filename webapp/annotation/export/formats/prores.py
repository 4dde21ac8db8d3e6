"""The export format ProRes 4444: a video with an alpha channel, for compositing."""

from __future__ import annotations

from functools import partial

from webapp.annotation.export.format import Format
from webapp.annotation.export.mattes import write_alpha_video
from webapp.annotation.export.video_file import Encoding

ENCODING = Encoding("mov", "prores_ks", "yuva444p10le", {"profile": "4444", "alpha_bits": "16"})

FORMAT = Format(
    name="prores",
    title="ProRes 4444 with alpha",
    note="A mov (ProRes 4444) of the frames whose alpha is the soft matte of the objects.",
    suffix="mov",
    media_type="video/quicktime",
    write=partial(write_alpha_video, encoding=ENCODING),
    of_project=False,
    takes=("matte", "premultiplied"),
)
