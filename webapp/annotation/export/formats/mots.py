"""The export format MOTS, in its two forms (MOTS and KITTI-MOTS): PNG files of 16 bits, and lines of text."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.annotated_video import categories
from segmentation.formats.mots import encode_mots_png, mots_lines
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with the folders instances and instances_txt, and classes.txt with the names of the classes."""
    videos = [annotated(subject) for subject in subjects]
    numbers = categories(videos)
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for video in videos:
            lines: list[str] = []
            for frame, labels in enumerate(video.masks()):
                if labels is not None:
                    archive.writestr(f"instances/{video.name}/{frame:06}.png", encode_mots_png(labels, video, numbers))
                    lines += mots_lines(frame, labels, video, numbers)
                done += 1
                tick(done)
            text = "".join(f"{line}\n" for line in lines)
            archive.writestr(f"instances_txt/{video.name}.txt", text, zipfile.ZIP_DEFLATED)
        archive.writestr("classes.txt", "".join(f"{number} {name}\n" for name, number in numbers.items()))


FORMAT = Format(
    name="mots",
    title="MOTS",
    note="A zip with masks as PNG of 16 bits (class * 1000 + object) and as text, as MOTS and KITTI-MOTS have them.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
