"""The export format PNG in MOV: a video with an alpha channel and without any loss."""

from __future__ import annotations

from functools import partial

from webapp.annotation.export.format import Format
from webapp.annotation.export.mattes import write_alpha_video
from webapp.annotation.export.video_file import Encoding

FORMAT = Format(
    name="png-mov",
    title="PNG in MOV with alpha",
    note="A mov of lossless PNG frames whose alpha is the soft matte of the objects. It is large.",
    suffix="mov",
    media_type="video/quicktime",
    write=partial(write_alpha_video, encoding=Encoding("mov", "png", "rgba", {"compression_level": "1"})),
    of_project=False,
    takes=("matte", "premultiplied"),
)
