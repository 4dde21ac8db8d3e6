"""Writes masks.json into the folder of this file: encoded masks with the object ids that they contain.

The tests of the server and of the page decode them and must find the same object ids. The last entry, "container", has
several masks in the binary format in which the server sends them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from webapp.annotation.codec import LabelMap, PackedMask, encode, pack


def scene(height: int, width: int) -> LabelMap:
    """Return a mask of three overlapping, roughly round objects with wavy edges. Their object ids are 1 to 3."""
    y, x = np.mgrid[:height, :width] / min(height, width)
    labels = np.zeros((height, width), np.uint8)
    for label, (cx, cy, radius) in enumerate([(0.5, 0.4, 0.3), (0.9, 0.6, 0.25), (1.2, 0.5, 0.2)], start=1):
        angle = np.arctan2(y - cy, x - cx)
        labels[np.hypot(x - cx, y - cy) < radius * (1 + 0.1 * np.sin(7 * angle))] = label
    return labels


def examples() -> dict[str, LabelMap]:
    corner = np.zeros((7, 9), np.uint8)
    corner[6, 8] = 254
    return {
        "empty": np.zeros((5, 8), np.uint8),
        "one pixel": np.ones((1, 1), np.uint8),
        "full of one object": np.full((4, 6), 7, np.uint8),
        "last corner, highest id": corner,
        "first run is of the last id": np.array([[0, 0, 0, 0], [0, 2, 1, 0], [0, 1, 2, 0]], np.uint8),
        "stripes of many ids": np.tile(np.arange(130, dtype=np.uint8), (3, 1)),
        "runs over line ends": np.array([[0, 3, 3], [3, 3, 3], [3, 3, 0]], np.uint8),
        "long runs": np.repeat(np.array([[1], [0], [2]], np.uint8), 400, axis=0).repeat(300, axis=1),
        "scene 96 x 171": scene(96, 171),
    }


def runs(labels: LabelMap) -> list[list[int]]:
    """Return the run lengths of a mask in row-major order: [[object id, number of pixels], ...]."""
    flat = labels.reshape(-1)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(flat)) + 1))
    lengths = np.diff(starts, append=flat.size)
    return [[int(flat[start]), int(length)] for start, length in zip(starts, lengths, strict=True)]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    masks = [
        {
            "name": name,
            "width": labels.shape[1],
            "height": labels.shape[0],
            "mask": text(encode(labels)),
            "runs": runs(labels),
        }
        for name, labels in examples().items()
    ]
    packed = [
        PackedMask(seq, 70 + seq, frame, tuple(value / 255 for value in confidence), encode(labels))
        for seq, frame, confidence, labels in (
            (1, 0, (255,), np.ones((2, 2), np.uint8)),
            (300, 19_999, (0, 128, 254), scene(24, 40)),
            (2**33, 5, (), np.zeros((3, 3), np.uint8)),
        )
    ]
    container = {
        "bytes": text(pack(packed)),
        "masks": [
            {
                "seq": mask.seq,
                "round": mask.round,
                "frame": mask.frame,
                "confidence": [round(value * 255) for value in mask.confidence],
                "mask": text(mask.data),
            }
            for mask in packed
        ],
    }
    path = Path(__file__).with_name("masks.json")
    lines = ",\n  ".join(json.dumps(mask, separators=(",", ":")) for mask in masks)
    rest = json.dumps(container, separators=(",", ":"))
    path.write_text(f'{{"masks": [\n  {lines}\n],\n"container": {rest}}}\n')


if __name__ == "__main__":
    main()
