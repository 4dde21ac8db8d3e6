"""The web application. Engines are reached through `webapp.inference.runner` alone."""

import os

# `segmentation` sets the same variables and says why. They must be set before anything here imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
