"""Celery tasks of annotation. The task that computes rounds is in webapp/inference/tasks.py, a layer above."""

from __future__ import annotations

from celery import shared_task

from webapp.annotation.counters import COUNT_TO_FIX
from webapp.annotation.export.jobs import TASK, run_export
from webapp.annotation.imports.jobs import run_mask_import
from webapp.annotation.imports.lease import TASK as IMPORT_MASKS
from webapp.annotation.to_fix import count_to_fix


@shared_task(name=TASK)
def export(export_id: int) -> None:
    run_export(export_id)


@shared_task(name=IMPORT_MASKS)
def import_masks(import_id: int) -> None:
    run_mask_import(import_id)


@shared_task(name=COUNT_TO_FIX)
def count_frames_to_fix(video_id: int) -> None:
    count_to_fix(video_id)
