"""Imports of masks, from the request to the stored versions: creating, answering, cancelling and running them."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.imports.lease import MASK_IMPORTS, release_upload_of, staging_path, tell_of_end
from webapp.annotation.imports.matching import Match, labels_in, match_videos, unknown_labels
from webapp.annotation.imports.objects import label_of, make_labels
from webapp.annotation.imports.placing import (
    ChangedMeanwhile,
    Placed,
    compute,
    forget_old_truth,
    replace_truth,
    store_version,
    write_truth,
)
from webapp.annotation.imports.reading import FoundFile, MaskReader, ReadMasks, Wanted, read_masks
from webapp.annotation.models import MaskImport, MaskImportState
from webapp.audit.entries import Thing, record
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import ONLY_JOBS, Visitor, allows, is_limited, memberships_of, project_for, require
from webapp.projects.models import Project, Role
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.tasks.heartbeat import beating
from webapp.videos.access import REVIEWERS, upload_for, video_for, videos_of
from webapp.videos.models import Video, VideoState
from webapp.videos.refusal import ImportCancelled, Refused, disk_full
from webapp.videos.upload_files import GONE, local_upload

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.5
UNTRIED = {"attempts": 0, "postponed": 0}
MOST_TRIES = 3  # How often masks are computed at most, if somebody changes a video meanwhile each time.
OPEN = (MaskImportState.QUEUED, MaskImportState.RUNNING, MaskImportState.ASKING)

OtherLabels = Literal["ask", "make", "drop"]
Labels = Mapping[str, str | None]


def imports_of(user: Visitor) -> QuerySet[MaskImport]:
    """Return the imports of masks that `user` may see.

    Imports of ground truth are seen only by reviewers. Annotators who see only their jobs see only the imports that
    they made themselves.
    """
    memberships = memberships_of(user)
    open_to_all = Q(ground_truth=False) | Q(project__in=memberships.filter(role__in=REVIEWERS).values("project"))
    unlimited = Q(project__in=memberships.exclude(ONLY_JOBS).values("project"))
    own = Q(author_id=user.pk, project__in=memberships.values("project"))
    return MaskImport.objects.filter(open_to_all, unlimited | own).select_related("project", "video", "author")


def import_for(user: Visitor, import_id: int) -> MaskImport:
    """Return an import of a project that `user` may see. Raises NotFound."""
    found = imports_of(user).filter(pk=import_id).first()
    if found is None:
        raise NotFound("import")
    return found


@transaction.atomic
def make_import(
    *,
    by: User,
    project_id: int,
    upload_id: UUID,
    video_id: int | None = None,
    ground_truth: bool = False,
    labels: Labels | None = None,
    other_labels: OtherLabels = "ask",
) -> MaskImport:
    """Create an import of the masks in a complete upload, for one video or for videos of the project by their names.

    Raises NotFound or Forbidden if the user may not do this, and Problem if the upload is not complete or was used
    before, if the video is not ready, or if the name of a new label is not valid.
    """
    project = project_for(by, project_id, Role.REVIEWER if ground_truth else Role.ANNOTATOR)
    if is_limited(project, require(by, project.pk)):
        raise Forbidden("Annotators change only the frames of their jobs here. A reviewer can import masks.")
    upload = upload_for(by, upload_id)
    if upload.project_id != project.pk:
        raise NotFound("upload")
    if upload.received != upload.size:
        raise Problem(
            "not_complete", f"The upload has {upload.received} of {upload.size} bytes. Send the rest first.", 409
        )
    if upload.videos.exists() or MaskImport.objects.filter(upload=upload).exists():
        raise Problem("finished", "This upload has been used already. Upload the file again.", 409)
    video = None
    if video_id is not None:
        video = video_for(by, video_id)
        if video.project_id != project.pk:
            raise NotFound("video")
        if video.state != VideoState.READY:
            raise Problem("not_ready", f"{video.name} is not imported yet.", 409)
    _check_labels(by, project, labels or {}, other_labels)
    made = MaskImport.objects.create(
        project=project,
        video=video,
        upload=upload,
        name=upload.name,
        ground_truth=ground_truth,
        labels=dict(labels or {}),
        other_labels=other_labels,
        author=by,
    )
    MASK_IMPORTS.notify(made.pk)
    return made


def _check_labels(by: User, project: Project, labels: Labels, other_labels: OtherLabels) -> None:
    """Raise Problem for a name that no label can have, and Forbidden if `by` may not make the labels that are new."""
    known = {name.casefold() for name in project.labels.values_list("name", flat=True)}
    new = [name for name in labels.values() if name is not None and name.casefold() not in known]
    if any(not name.strip() or len(name) > 60 for name in new):
        raise Problem("bad_label", "The name of a label has 1 to 60 characters.")
    if (new or other_labels == "make") and not allows(require(by, project.pk), Role.MANAGER):
        raise Forbidden("Only a manager can make labels. Choose labels that the project has, or leave them out.")


@transaction.atomic
def answer_labels(*, by: User, import_id: int, labels: Labels, other_labels: OtherLabels) -> MaskImport:
    """Store which labels of the project the labels in a file become, for an import that asks.

    The import then waits for a worker again. Raises Problem "not_asking", and the errors of `_check_labels`.
    """
    found = _own(by, import_id)
    _check_labels(by, found.project, labels, other_labels)
    asking = MaskImport.objects.filter(pk=found.pk, state=MaskImportState.ASKING)
    if not asking.update(
        labels={**found.labels, **labels},
        other_labels=other_labels,
        unknown_labels=[],
        state=MaskImportState.QUEUED,
        heartbeat=None,
        notified_at=Now(),
    ):
        raise Problem("not_asking", "This import does not ask for labels.", 409)
    MASK_IMPORTS.notify(found.pk)
    found.refresh_from_db()
    return found


def remove_import(*, by: User, import_id: int) -> None:
    """Cancel an import that has not ended; remove the row of one that has. Masks that were brought in stay."""
    found = _own(by, import_id)
    if not stop_mask_import(found):
        found.delete()


def stop_mask_import(row: MaskImport) -> bool:
    """End an import that waits for a worker or an answer, or tell a running one to stop.

    Return False if it has ended already.
    """
    waits = MaskImport.objects.filter(pk=row.pk, state__in=(MaskImportState.QUEUED, MaskImportState.ASKING))
    if waits.update(state=MaskImportState.CANCELLED, cancel_requested=True):
        release_upload_of(row)
        return True
    return bool(MaskImport.objects.filter(pk=row.pk, state=MaskImportState.RUNNING).update(cancel_requested=True))


def _own(by: User, import_id: int) -> MaskImport:
    found = import_for(by, import_id)
    role = require(by, found.project_id, Role.ANNOTATOR, what="import")
    if found.author_id != by.pk and not allows(role, Role.MANAGER):
        raise Forbidden("This import is somebody else's. A manager can do this.")
    return found


def run_mask_import(import_id: int) -> None:
    """Bring in the masks of an import that waits. Does nothing if another worker has claimed it or it has ended."""
    claimed = MASK_IMPORTS.claim(import_id, progress_done=0)
    if claimed is None:
        return
    staging = staging_path(claimed.pk, claimed.fence)
    try:
        staging.mkdir(parents=True)
        _Run(claimed, staging).all()
    except ImportCancelled:
        _end(claimed, MaskImportState.CANCELLED)
    except Problem as refusal:
        _end(claimed, MaskImportState.FAILED, error=refusal.text)
    except OperationalError:
        raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
    except StorageAway:
        if not MASK_IMPORTS.postpone(claimed.pk, claimed.fence):
            _end(claimed, MaskImportState.FAILED, error=AWAY_FOR_LONG)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if not full:
            log.exception("mask_import_failed", mask_import=import_id)
        text = disk_full().text if full else "The import failed by a fault of the program; the worker's log names it."
        _end(claimed, MaskImportState.FAILED, error=text)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class _Run:
    """One attempt at an import that this worker has claimed."""

    def __init__(self, claimed: MaskImport, staging: Path) -> None:
        self.row, self.staging = claimed, staging
        self._next, self._done, self._total = 0.0, 0, 0

    def all(self) -> None:
        if self.row.upload is None:
            raise Refused("no_upload", GONE)
        with beating(partial(MASK_IMPORTS.beat, self.row.pk, self.row.fence), BEAT_SECONDS, mask_import=self.row.pk):
            path = local_upload(self.row.upload)  # It may be large, and come from a bucket.
        with read_masks(path, self.row.name, self._beat) as reader:
            matches, left_out = self._matches(reader.found)
            if self._asks(reader.found, matches):
                return
            read = self._read(reader, matches)
        notes = [f"Masks of {_listed(left_out)} were left out: no video here has that name."] if left_out else []
        if self.row.ground_truth:
            self._store_truth(matches, read, notes)
        else:
            self._store_versions(matches, read, notes)

    def _matches(self, found: FoundFile) -> tuple[list[Match], list[str]]:
        seen = videos_of(self.row.author).filter(project=self.row.project, state=VideoState.READY).order_by("pk")
        videos = list(seen)
        if self.row.video_id is None:
            return match_videos(found, videos, None)
        target = next((video for video in videos if video.pk == self.row.video_id), None)
        if target is None:
            raise Refused("no_video", "The video was deleted or moved meanwhile. Import the masks where it is now.")
        return match_videos(found, videos, target)

    def _asks(self, found: FoundFile, matches: list[Match]) -> bool:
        """Let the import wait until a person has mapped its unknown labels. Return False if there is nothing to ask."""
        names = self.row.project.labels.values_list("name", flat=True)
        unknown = unknown_labels(labels_in(match.found for match in matches), names, self.row.labels)
        if self.row.ground_truth or self.row.other_labels != "ask" or not unknown:
            MASK_IMPORTS.held(self.row.pk, self.row.fence).update(format=found.format)
            return False
        asked = MASK_IMPORTS.held(self.row.pk, self.row.fence).filter(cancel_requested=False)
        if not asked.update(
            state=MaskImportState.ASKING, unknown_labels=unknown, format=found.format, heartbeat=None, **UNTRIED
        ):
            raise ImportCancelled
        return True

    def _read(self, reader: MaskReader, matches: list[Match]) -> list[ReadMasks]:
        self._total = sum(len(match.frames) for match in matches) * 2  # Each is read, and then stored.
        read = reader.write([Wanted(match.index, match.frames, self._path(at)) for at, match in enumerate(matches)])
        for match, masks in zip(matches, read, strict=True):
            if not masks.frames:
                raise Refused("no_masks", f"The file has no mask for a frame of {match.video.name}.")
        return read

    def _path(self, at: int) -> Path:
        return self.staging / f"{at}.masks"

    def _store_versions(self, matches: list[Match], read: list[ReadMasks], notes: list[str]) -> None:
        labels = self._labels(matches)
        for attempt in range(MOST_TRIES):
            self._done = self._total // 2
            placed = [
                compute(match, masks, self._path(at), labels, self._after_each)
                for at, (match, masks) in enumerate(zip(matches, read, strict=True))
            ]
            wanted = [each for each in placed if each.frames]
            if not wanted:
                raise Refused("accepted", "Every frame of the file is accepted. Release the frames, then import again.")
            try:
                self._commit(wanted, labels, [*notes, *_notes(placed, read)])
                return
            except ChangedMeanwhile:
                if attempt == MOST_TRIES - 1:
                    raise Refused(
                        "changed_meanwhile", "Somebody changed the masks or objects meanwhile. Import the file again."
                    ) from None

    @transaction.atomic
    def _commit(self, placed: list[Placed], labels: Labels, notes: list[str]) -> None:
        """Store everything, or nothing if the import was cancelled or a video changed meanwhile."""
        self._take_row()
        wanted = [label_of(each, labels) for at in placed for each in at.plan.new]
        known = make_labels(self.row.project, [name for name in wanted if name])
        result = []
        for each in sorted(placed, key=lambda each: each.match.video.pk):
            made = store_version(each, self.row.author, self.row.name, labels, known)
            result.append(_row(each.match.video, made.pk, len(each.frames), len(each.plan.numbers)))
            self._record(each.match.video, "masks.import")
        self._finish(result, notes)

    def _labels(self, matches: list[Match]) -> Labels:
        """Return the label of the project, or None, for every label in the file."""
        known = {name.casefold(): name for name in self.row.project.labels.values_list("name", flat=True)}
        mapping: dict[str, str | None] = dict(self.row.labels)
        for label in labels_in(match.found for match in matches):
            if label not in mapping:
                made = label[:60] if self.row.other_labels == "make" else None
                mapping[label] = known.get(label.casefold(), made)
        return mapping

    def _store_truth(self, matches: list[Match], read: list[ReadMasks], notes: list[str]) -> None:
        self._done = self._total // 2
        folders = [self.staging / f"truth-{self.row.pk}-{at}" for at in range(len(matches))]
        highest = [write_truth(self._path(at), folder, self._after_each) for at, folder in enumerate(folders)]
        take_back: list[Callable[[], None]] = []
        try:
            with transaction.atomic():
                self._take_row()
                result = []
                for match, masks, folder, objects in zip(matches, read, folders, highest, strict=True):
                    take_back.append(replace_truth(match.video, folder, masks.frames, objects))
                    result.append(_row(match.video, None, len(masks.frames), len(masks.ids)))
                    self._record(match.video, "truth.import")
                self._finish(result, notes)
        except BaseException:
            for undo in reversed(take_back):
                undo()
            raise
        for match, folder in zip(matches, folders, strict=True):
            forget_old_truth(match.video, folder)

    def _record(self, video: Video, action: str) -> None:
        thing = Thing("video", video.pk, video.name)
        record(self.row.author, action, thing, project_id=self.row.project_id, file=self.row.name)

    def _take_row(self) -> None:
        """Raise ImportCancelled if somebody cancelled the import or another worker has it."""
        held = MASK_IMPORTS.held(self.row.pk, self.row.fence).filter(cancel_requested=False)
        if not held.update(heartbeat=Now()):
            raise ImportCancelled

    def _finish(self, result: list[dict[str, object]], notes: list[str]) -> None:
        frames = sum(int(str(row["frames"])) for row in result)
        _end(
            self.row, MaskImportState.DONE, note=" ".join(notes), result=result, progress_done=frames,
            progress_total=frames,
        )  # fmt: skip

    def _after_each(self) -> None:
        self._beat(self._done + 1)

    def _beat(self, done: int | None = None) -> None:
        """Store progress, at most twice a second, and raise ImportCancelled if the import is not wanted any more."""
        self._done = self._done if done is None else done
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        wanted = MASK_IMPORTS.held(self.row.pk, self.row.fence).filter(cancel_requested=False)
        if not wanted.update(heartbeat=Now(), progress_done=self._done, progress_total=self._total):
            raise ImportCancelled


def _row(video: Video, round_id: int | None, frames: int, objects: int) -> dict[str, object]:
    return {"video": video.pk, "name": video.name, "round": round_id, "frames": frames, "objects": objects}


def _notes(placed: list[Placed], read: list[ReadMasks]) -> list[str]:
    """Return sentences for the person who imports: what was not stored as it is in the file."""
    notes = []
    skipped = sum(each.skipped for each in placed)
    if skipped:
        notes.append(f"{skipped} accepted {'frame keeps its mask' if skipped == 1 else 'frames keep their masks'}.")
    if any(masks.ignored for masks in read):
        notes.append('Pixels that the file marks as "ignore" are background.')
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@transaction.atomic
def _end(row: MaskImport, state: MaskImportState, **columns: object) -> None:
    if MASK_IMPORTS.held(row.pk, row.fence).update(state=state, **columns):
        tell_of_end(row, state, str(columns.get("error", "")))
        release_upload_of(row)
