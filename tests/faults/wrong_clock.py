"""Gives the fake engine to a worker that imports this module (MASKWRIGHT_ENGINES), and sets its clock wrong.

The variable FAULTS_CLOCK_AHEAD says by how many seconds the clock is ahead of those of other hosts, or behind if the
number is negative.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta

from django.utils import timezone

from tests.segmentation.fake_engine import ENGINES as ENGINES

AHEAD = float(os.environ.get("FAULTS_CLOCK_AHEAD", "0"))
_time, _now = time.time, timezone.now


def _wrong_time() -> float:
    return _time() + AHEAD


def _wrong_now() -> datetime:
    return _now() + timedelta(seconds=AHEAD)


if AHEAD:
    time.time, timezone.now = _wrong_time, _wrong_now
