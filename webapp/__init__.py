"""The web application: people, projects, rounds, live updates. Only `webapp.inference.runner` knows of segmentation."""

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
