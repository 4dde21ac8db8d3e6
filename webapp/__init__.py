"""The web application: people, projects, rounds, live updates. Only `webapp.inference.runner` knows of segmentation."""

import os

# What `segmentation` sets when it is imported, and why, but before anything here brings NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
