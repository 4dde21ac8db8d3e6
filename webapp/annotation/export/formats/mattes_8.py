"""The export format with soft mattes of 8 bits: one folder of grey PNG files for each object."""

from __future__ import annotations

from functools import partial

from webapp.annotation.export.format import Format
from webapp.annotation.export.mattes import write_mattes

HOW_TO = """\
# Soft mattes, 8 bits

`<number>-<name>/<frame>.png` is the matte (alpha) of an object: 0 outside, 255 inside, values between where
a pixel at the edge shows both. Several videos have a folder each. `objects.json` has the names of the objects.

```python
from pathlib import Path

import numpy as np
from PIL import Image

mattes = {str(path): np.array(Image.open(path)) / 255 for path in sorted(Path().glob("*/*.png"))}
```
"""

FORMAT = Format(
    name="mattes-8",
    title="Soft mattes, 8 bits",
    note="A zip with a folder for each object: grey PNG of 8 bits, whose edges follow the frame.",
    suffix="zip",
    media_type="application/zip",
    write=partial(write_mattes, bits=8),
    how_to=HOW_TO,
    takes=("matte",),
)
