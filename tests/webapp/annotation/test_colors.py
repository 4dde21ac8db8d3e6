"""Tests of the colours that objects get."""

from __future__ import annotations

import re

import numpy as np
from django.conf import settings

from webapp.annotation.colors import CHOSEN, LEAST_CONTRAST, STAGE, contrast, lab_of, palette, rgb_of, unused_color


def test_any_two_colours_of_the_palette_differ_clearly_and_stand_out_from_the_stage() -> None:
    places = lab_of(rgb_of(palette()))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert distances.min() > 7  # People see a difference from about 2 on.
    assert contrast(rgb_of(palette()), rgb_of([STAGE])[0]).min() >= LEAST_CONTRAST


def test_the_conversions_give_known_values() -> None:
    assert np.allclose(lab_of(rgb_of(["#ff0000"])), [[53.24, 80.09, 67.2]], atol=0.1)
    assert np.isclose(contrast(rgb_of(["#ffffff"]), rgb_of(["#000000"])[0])[0], 21)


def test_an_unused_colour_is_that_of_the_label_or_one_like_it() -> None:
    assert unused_color([]) == CHOSEN[0]
    assert unused_color([CHOSEN[0].upper()]) == CHOSEN[1]
    assert unused_color([], like="#336699") == "#336699"
    other = unused_color(["#336699"], like="#336699")
    assert 0 < np.linalg.norm(lab_of(rgb_of([other])) - lab_of(rgb_of(["#336699"]))) < 30
    assert unused_color(palette()) == CHOSEN[0]


def test_the_page_shows_new_objects_in_the_colours_that_the_server_will_give_them() -> None:
    source = (settings.BASE_DIR / "frontend/src/actions/objects.ts").read_text()
    listed = source[source.index("COLORS") :].split("]")[0]
    assert tuple(re.findall(r"#[0-9a-f]{6}", listed)) == CHOSEN
