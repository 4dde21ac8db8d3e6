"""The lease of imports of masks, and the removal of uploads and folders when an import ends or is lost."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from webapp.annotation.models import MaskImport, MaskImportState
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import after_commit, send_task
from webapp.webhooks.events import Event, tell

TASK = "annotation.import_masks"
FORGOTTEN_AFTER = timedelta(days=7)  # An import that is older and asks for labels is cancelled.


def staging_path(import_id: int, fence: int) -> Path:
    """Return the folder in which one attempt of an import writes. Each attempt has a folder of its own."""
    return Path(settings.HOME) / "mask-imports" / f"{import_id}-{fence}"


def release_upload_of(row: MaskImport) -> None:
    """Delete the upload of an import that has ended, with its file, once the transaction has committed."""
    if row.upload is not None:
        after_commit(row.upload.delete)


class MaskImportLease(Lease[MaskImport]):
    """The lease of imports of masks. The worker stores a heartbeat twice a second, except while it stores the masks."""

    queue = Queue.IMPORTS

    def notify(self, pk: int) -> None:
        send_task(TASK, pk)

    def is_wanted(self, task: MaskImport) -> bool:
        return not task.cancel_requested

    def requeued(self, task: MaskImport) -> None:
        shutil.rmtree(staging_path(task.pk, task.fence), ignore_errors=True)

    def end_lost(self, task: MaskImport) -> None:
        state, error = MaskImportState.CANCELLED, ""
        if self.is_wanted(task):
            state = MaskImportState.FAILED
            error = f"The worker stopped {task.losses} times before this import was done. Its log may say why."
        if self.held(task.pk, task.fence).update(state=state, error=error):
            tell_of_end(task, state, error)
        shutil.rmtree(staging_path(task.pk, task.fence), ignore_errors=True)
        release_upload_of(task)


def tell_of_end(row: MaskImport, state: MaskImportState, error: str = "") -> None:
    """Report to webhooks that an import is done or has failed."""
    event = {MaskImportState.DONE: Event.IMPORT_DONE, MaskImportState.FAILED: Event.IMPORT_FAILED}.get(state)
    if event is not None:
        tell(row.project_id, event, **{"import": row.pk, "name": row.name, "error": error})


def sweep_mask_imports(*, starting: bool = False) -> None:
    """Let other workers take the imports of lost workers, and cancel imports that were created more than a week ago and
    wait for an answer.

    `starting` says that this worker has just started.
    """
    MASK_IMPORTS.sweep(starting=starting)
    old = MaskImport.objects.filter(
        state=MaskImportState.ASKING, created_at__lt=timezone.now() - FORGOTTEN_AFTER
    ).select_related("upload")
    for row in old:
        # The person may answer at this moment; then the row is not asking any more.
        asking = MaskImport.objects.filter(pk=row.pk, state=MaskImportState.ASKING)
        if asking.update(state=MaskImportState.CANCELLED, cancel_requested=True):
            release_upload_of(row)


MASK_IMPORTS = MaskImportLease(
    MaskImport,
    waiting=MaskImportState.QUEUED,
    running=MaskImportState.RUNNING,
    limits=Limits(stale_after=timedelta(seconds=15), notify_again_after=timedelta(seconds=60)),
)
