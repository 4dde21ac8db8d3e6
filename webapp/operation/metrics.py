"""Metrics for Prometheus at /metrics: rounds, queues, imports, exports, workers and storage of the whole installation.

They are read from the database for each request, so every web process answers the same, and nothing has to be collected
from workers. Memory, processor time, sockets and answers are those of the web process that answers.
"""

from __future__ import annotations

import hmac
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Q, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webapp.accounts.administrators import is_administrator
from webapp.accounts.tokens import BearerToken
from webapp.annotation.models import Export, ExportState, Mask, Round, RoundState, Scribble
from webapp.http import figures
from webapp.inference.workers import workers_of_all_kinds
from webapp.live.outbox import Outbox
from webapp.operation.queues import waiting_in
from webapp.tasks.models import Queue
from webapp.videos.models import Upload, Video, VideoState

RECENT = timedelta(minutes=15)  # the window of the metrics of speed


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all metrics, in the text format of Prometheus, if the request may see them."""
    if not _may_read(request):
        text = "Send MASKWRIGHT_METRICS_TOKEN or an administrator's token as `Authorization: Bearer ...`, or sign in.\n"
        return HttpResponse(text, status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(SiteFigures())
    registry.register(ProcessFigures())
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    wanted = str(settings.CONFIG["MASKWRIGHT_METRICS_TOKEN"])
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if wanted and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode()):
        return True
    if not request.user.is_authenticated and scheme.lower() == "bearer":
        BearerToken().authenticate(request, given.strip())
    return is_administrator(request) and getattr(request.user, "token_projects", None) is None


class SiteFigures(Collector):
    """Reads the metrics of the whole site, with a constant number of queries."""

    def collect(self) -> Iterable[Metric]:
        yield from _rounds()
        yield from _speed()
        yield from _queues()
        yield _by("maskwright_imports", "Videos by the state of their import.", ["state"], _counts(Video, "state"))
        yield _by(
            "maskwright_exports",
            "Exports by state and format.",
            ["state", "format"],
            _counts(Export, "state", "format"),
        )
        yield from _workers()
        yield from _stored()


def _rounds() -> Iterator[Metric]:
    made = _counts(Round, "state", "engine")
    yield _by("maskwright_rounds", "Rounds by state and engine.", ["state", "engine"], made)
    failed = Round.objects.filter(state=RoundState.FAILED).values("error_code").annotate(number=Count("pk"))
    rows = [([row["error_code"]], row["number"]) for row in failed.order_by("error_code")]
    yield _by("maskwright_rounds_failed", "Failed rounds by the code of the error.", ["code"], rows)


def _speed() -> Iterator[Metric]:
    """Yield the waiting times and speeds of the rounds that ended in the last 15 minutes, by engine."""
    waited = ExpressionWrapper(F("started_at") - F("created_at"), output_field=DurationField())
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    recent = Round.objects.filter(finished_at__gte=Now() - RECENT, started_at__isnull=False).values("engine")
    rows = list(
        recent.annotate(waited=Avg(waited), longest=Max(waited), took=Sum(took), frames=Sum("progress_done")).order_by(
            "engine"
        )
    )
    waits = [([row["engine"]], row["waited"].total_seconds()) for row in rows]
    yield _by("maskwright_round_wait_seconds", "Mean wait of recent rounds for a worker.", ["engine"], waits)
    longest = [([row["engine"]], row["longest"].total_seconds()) for row in rows]
    yield _by("maskwright_round_wait_longest_seconds", "Longest wait of a recent round.", ["engine"], longest)
    speeds = [([row["engine"]], row["frames"] / max(row["took"].total_seconds(), 1e-3)) for row in rows]
    yield _by("maskwright_frames_per_second", "Frames a second in recent rounds, waits left out.", ["engine"], speeds)


def _queues() -> Iterator[Metric]:
    """Yield how many tasks of each queue wait for a worker, and how long the oldest of them has waited."""
    found = {queue.value: waiting_in(queue) for queue in Queue}
    lengths: Rows = [([name], number) for name, (number, _) in found.items()]
    ages: Rows = [([name], seconds) for name, (_, seconds) in found.items()]
    yield _by("maskwright_queue_length", "What waits for a worker.", ["queue"], lengths)
    yield _by("maskwright_queue_age_seconds", "How long the oldest in the queue has waited.", ["queue"], ages)


def _workers() -> Iterator[Metric]:
    """Yield how many workers for rounds are alive, and the memory that each worker and its GPU have in use."""
    rows = list(workers_of_all_kinds().order_by("name"))
    found = Counter(row.device for row in rows if row.device)
    alive: Rows = [([device], number) for device, number in sorted(found.items())]
    yield _by("maskwright_workers", "Workers for rounds that gave a sign of life, by device.", ["device"], alive)
    labels = ["worker", "device"]
    for name, text, column in (
        ("maskwright_worker_memory_bytes", "Memory that a worker takes.", "memory"),
        ("maskwright_worker_gpu_memory_bytes", "Memory in use on the GPU of a worker.", "device_memory"),
        ("maskwright_worker_gpu_memory_size_bytes", "Size of the memory of that GPU.", "device_memory_size"),
    ):
        known = [([row.name, row.device], float(getattr(row, column))) for row in rows if getattr(row, column)]
        yield _by(name, text, labels, known)


def _stored() -> Iterator[Metric]:
    # Copies that share the files of another video take no room.
    videos = Video.objects.filter(state=VideoState.READY, is_copy=False)
    ready = videos.aggregate(size=Sum("size_bytes"), frames=Sum("frame_count"))
    yield _one("maskwright_videos_bytes", "Bytes of the files of imported videos.", ready["size"] or 0)
    yield _one("maskwright_video_frames", "Frames of imported videos.", ready["frames"] or 0)
    done = Export.objects.filter(state=ExportState.DONE).aggregate(size=Sum("size_bytes"))
    yield _one("maskwright_exports_bytes", "Bytes of the files of all exports.", done["size"] or 0)
    arriving = Upload.objects.filter(~Q(received=F("size"))).aggregate(number=Count("pk"))
    yield _one("maskwright_uploads_unfinished", "Uploads that have not arrived completely.", arriving["number"])
    disk = shutil.disk_usage(settings.HOME)
    yield _one("maskwright_disk_free_bytes", "Free bytes on the disk of the data folder.", disk.free)
    yield _one("maskwright_disk_bytes", "Size of the disk of the data folder.", disk.total)
    yield _one(
        "maskwright_masks", "The number of the newest mask.", Mask.objects.aggregate(last=Max("pk"))["last"] or 0
    )
    last = Scribble.objects.aggregate(last=Max("pk"))["last"] or 0
    yield _one("maskwright_scribbles", "The number of the newest scribble.", last)


class ProcessFigures(Collector):
    """Reads what this web process has counted itself."""

    def collect(self) -> Iterable[Metric]:
        yield _one("maskwright_sockets", "Open sockets of this process.", figures.open_sockets)
        answers = CounterMetricFamily("maskwright_answers", "Answers of this process by status.", labels=["status"])
        for status, number in sorted(figures.answers.items()):
            answers.add_metric([str(status)], number)
        yield answers
        text = "Hints of this process that newer ones replaced before they were sent."
        yield CounterMetricFamily("maskwright_hints_replaced", text, value=Outbox.replaced_hints)


Rows = list[tuple[list[str], float]]


def _counts(model: type[models.Model], *fields: str) -> Rows:
    rows = model._default_manager.values(*fields).annotate(number=Count("pk")).order_by(*fields)
    return [([str(row[field]) for field in fields], row["number"]) for row in rows]


def _by(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    metric = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        metric.add_metric(values, number)
    return metric


def _one(name: str, text: str, number: float) -> Metric:
    return GaugeMetricFamily(name, text, value=number)
