"""The web application, a Django project. It uses the engines (package `segmentation`) only through
`webapp.inference.runner`.
"""

import os

# segmentation/__init__.py sets the same variables and gives the reasons. They must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
