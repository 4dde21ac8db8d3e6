"""The web application: people, projects, rounds, live updates. `webapp.inference.runner` alone knows of segmentation."""

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
