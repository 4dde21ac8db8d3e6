"""The export format GeoJSON: the outlines of the objects as polygons."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.outline_files import geojson_features
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with <video>.geojson, which has a feature for each object in each frame, one a line."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in subjects:
            video, between = annotated(subject), "\n"
            with archive.open(f"{video.name}.geojson", "w", force_zip64=True) as file:
                head = f'"width":{video.width},"height":{video.height}'
                file.write(f'{{"type":"FeatureCollection",{head},"features":['.encode())
                for (index, labels), name in zip(subject.frames(), video.frames, strict=True):
                    for feature in geojson_features(video, index, name, labels) if labels is not None else ():
                        file.write(f"{between}{json.dumps(feature, separators=(',', ':'))}".encode())
                        between = ",\n"
                    done += 1
                    tick(done)
                file.write(b"\n]}\n")


HOW_TO = """\
# Outlines as GeoJSON

`<video>.geojson` has a feature for each object in each frame, a MultiPolygon with holes. Coordinates are pixels:
(0, 0) is the upper left corner of the frame, and y grows downward. Outlines run along the borders of pixels, so they
hold the masks exactly. GIS programs show the file upside down, since their y grows upward.

```python
import json
from pathlib import Path

import numpy as np

masks = {}
for path in sorted(Path().glob("*.geojson")):
    data = json.loads(path.read_text())
    shape = data["height"], data["width"]
    for feature in data["features"]:
        inside = np.zeros(shape, bool)
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                for (x, y), (_, end) in zip(ring, ring[1:]):
                    inside[min(y, end) : max(y, end), x:] ^= True
        properties = feature["properties"]
        mask = masks.setdefault(properties["frame_name"], np.zeros(shape, np.uint8))
        mask[inside] = properties["id"]
```
"""

FORMAT = Format(
    name="geojson",
    title="Outlines, GeoJSON",
    note="A zip with a GeoJSON file: the exact outlines of the objects, with holes, in pixels.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
