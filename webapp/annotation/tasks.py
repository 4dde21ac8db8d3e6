"""Celery tasks of annotation. The task that computes rounds is in webapp/inference/tasks.py, a layer above."""

from __future__ import annotations

from celery import shared_task

from webapp.annotation.export.jobs import TASK, run_export


@shared_task(name=TASK)
def export(export_id: int) -> None:
    run_export(export_id)
