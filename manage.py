#!/usr/bin/env python
"""The door to every command: `python manage.py studio` starts all of Maskwright."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    # Before NumPy comes: its matrices are small here, and OpenBLAS' threads, which wait by spinning, take the cores
    # from OpenCV and torch. Rounds of STAR on two cores: 15 to 17 frames a second in place of 10 to 12.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Torch's wait by spinning too, for milliseconds. Alone that gains nothing here; two workers on two cores took 31 s
    # each for a round that takes them 14 s so.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
