"""Tests that a worker keeps its lease of a task, however long one step of the task takes."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.webapp.conftest import run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.export import jobs
from webapp.annotation.export.jobs import EXPORTS, make_export, run_export
from webapp.annotation.models import Export, ExportState
from webapp.tasks.heartbeat import beating
from webapp.videos.models import Video


@pytest.mark.django_db(transaction=True)
def test_an_export_lives_as_long_as_its_worker(
    video: Video, owner: User, sent_tasks: list[Any], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOME = tmp_path
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    claimed = claim(run(video, owner, None).pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    finish(claimed, complete=True)
    export = make_export(by=owner, video_id=video.pk, format_name="davis")
    old = timezone.now() - timedelta(minutes=5)
    written: list[int] = []

    def write(subject: object, path: Path, tick: object) -> None:
        """Stands in for the writer of an export. It waits until a heartbeat has come, and then sweeps for lost
        workers.
        """
        written.append(1)
        path.write_bytes(b"zip")
        row = Export.objects.filter(pk=export.pk)
        row.update(heartbeat=old)
        for _ in range(500):
            if row.get().heartbeat != old:
                break
            time.sleep(0.01)
        EXPORTS.sweep()

    monkeypatch.setitem(jobs.FORMATS, "davis", replace(jobs.FORMATS["davis"], write=write))
    for _ in range(2):
        run_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempts, len(written)) == (ExportState.DONE, 1, 1)


def test_a_beat_that_is_missed_is_followed_by_others(db: None) -> None:
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 1:
            raise OperationalError("the database is away")

    with beating(beat, 0.01):
        for _ in range(500):
            if len(beats) > 2:
                break
            time.sleep(0.01)
    assert len(beats) > 2
    after = len(beats)
    time.sleep(0.05)
    assert len(beats) == after
