"""`python -m tests.latency.large_video` adds a long 1080p video with 20 rounds to the data folder MASKWRIGHT_HOME.

The video is the second one of the folder, after the sample video. The program prints nothing.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import uuid

import cv2
import django
import numpy as np

django.setup()

from django.db import transaction
from PIL import Image

from segmentation.types import LabelMap
from webapp.annotation.codec import encode
from webapp.annotation.models import Head, Mask, Object, Round
from webapp.projects.models import Project
from webapp.videos.create import create_video
from webapp.videos.models import Video

FRAMES, ROUNDS, OBJECTS = 330, 20, 3
WIDTH, HEIGHT, RATE = 1920, 1080, 24
COLORS = ("#ff7a59", "#7bd88f", "#5aa9ff")


def texture() -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], whose JPEG is about as large as that of a real frame."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 200, (27, 48, 3), dtype=np.uint8))
    fine = Image.fromarray(random.integers(0, 55, (HEIGHT // 2, WIDTH // 2, 3), dtype=np.uint8))
    size = (WIDTH, HEIGHT)
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) + np.asarray(fine.resize(size))


def mask(frame: int) -> LabelMap:
    """Return the label map of a frame, in which three discs move to the right."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in range(1, OBJECTS + 1):
        cv2.circle(labels, (300 * number + 3 * frame, 250 * number), 130, number, -1)
    return labels


def scribble(number: int, frame: int) -> dict[str, object]:
    """Return a scribble through the disc of an object as a round stores it, with as many points as a pen gives."""
    x, y = (300 * number + 3 * frame) / WIDTH, 250 * number / HEIGHT
    path = [[round(x + step / 1200, 4), round(y + np.sin(step / 6) / 100, 4)] for step in range(60)]
    return {"path": path, "object_id": number, "frame": frame, "kind": "scribble", "positive": True}


@transaction.atomic
def add_rounds(video: Video) -> None:
    """Add three objects, and rounds that each have a mask in every frame and build on the round before."""
    for number in range(1, OBJECTS + 1):
        Object.objects.create(
            video=video, number=number, name=f"Disc {number}", color=COLORS[number - 1], created_by=video.created_by
        )
    masks = [encode(mask(frame)) for frame in range(FRAMES)]
    base: Round | None = None
    for number in range(1, ROUNDS + 1):
        frame = 16 * (number - 1)
        base = Round.objects.create(
            video=video, number=number, key=uuid.uuid4(), author=video.created_by, frame=frame, base=base,
            scribbles=[scribble(each, frame) for each in range(1, OBJECTS + 1)], num_objects=OBJECTS, engine="star",
            state="done", frames=[[0, FRAMES - 1]], progress_done=FRAMES, progress_total=FRAMES,
        )  # fmt: skip
        Mask.objects.bulk_create(
            Mask(round=base, frame=at, data=data, confidence=[0.9] * OBJECTS) for at, data in enumerate(masks)
        )
    Head.objects.update_or_create(
        video=video, defaults={"round": base, "next_round_number": ROUNDS + 1, "next_object_number": OBJECTS + 1}
    )


def main() -> None:
    project = Project.objects.get()
    picture = texture()
    frames = (np.roll(picture, 4 * frame, axis=1) for frame in range(FRAMES))
    add_rounds(create_video(project=project, name="Large", frames=frames, author=project.created_by, fps=RATE))


if __name__ == "__main__":
    main()
