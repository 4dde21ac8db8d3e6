"""Videos for scripts and notebooks: frames by index from a file, a folder, an array or a DAVIS sequence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageSequence

from segmentation.formats.davis_folder import DavisFolder, DavisSequence, FolderError
from segmentation.formats.davis_layout import RESOLUTION
from segmentation.formats.file_tree import listed
from segmentation.formats.mask_image import UNREADABLE
from segmentation.frames import ArrayFrames, FolderFrames, ImageFrames, unread_pictures
from segmentation.types import FrameSource, Image, LabelMap

FRAMES_FOLDER = "jpegimages"


class Video:
    """A video whose frames are read on demand. `len(video)` is the number of frames.

    `video[i]` is frame i, read-only uint8 RGB [H, W, 3]; i in 0..len - 1, else IndexError.

    Attributes:
        name: the name of the file without its suffix, of the folder or of the DAVIS sequence; otherwise "video".
        height, width: the size of every frame, in pixels.
        fps: the frame rate of a video file, otherwise 24. Frame indices do not depend on it.
        files: the image file of each frame, if the frames come from image files; otherwise empty.
    """

    def __init__(
        self,
        frames: FrameSource,
        name: str = "video",
        truth: Callable[[int], LabelMap | None] | None = None,
        fps: float = 24.0,
        files: tuple[Path, ...] = (),
    ) -> None:
        self._frames = frames
        self._truth = truth
        self.name = name
        self.fps = fps
        self.files = files
        self.height, self.width = frames.height, frames.width

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        return self._frames[index]

    def __repr__(self) -> str:
        return f"<Video {self.name!r}: {len(self)} frames of {self.width}x{self.height}>"

    @property
    def has_truth(self) -> bool:
        """Whether the video has ground truth, as a DAVIS sequence with masks does."""
        return self._truth is not None

    def truth(self, frame: int) -> LabelMap | None:
        """Read the ground truth of a frame, uint8 [H, W], ids 0..254 and 255 = "ignore". None if it has no mask.

        Raises IndexError for a frame outside of the video, and MaskError if the mask file cannot be used.
        """
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} is outside 0..{len(self) - 1}")
        return None if self._truth is None else self._truth(frame)

    def close(self) -> None:
        """Close the video file, if the frames come from one. Do not read frames afterwards."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_video(source: Path | str | NDArray[np.uint8] | FrameSource) -> Video:
    """Open a video. A warning names pictures of a folder that are left out because they cannot be read (HEIC, GIF).

    Args:
        source: one of
            a video file (mp4, mov, mkv, webm, avi, gif, ...), decoded lazily by PyAV;
            a picture file of several pages (TIFF, WebP, PNG): each page is a frame;
            a folder of images, in the natural order of their names;
            a folder in the DAVIS layout with one sequence, or the folder with the frames of a sequence, such as
            JPEGImages/480p/dog: the masks of the sequence are the video's `truth`;
            an array uint8 RGB [T, H, W, 3], or an object like `FrameSource`, with frames by index, `height`, `width`
            and a length.

    Raises:
        ValueError: the source does not exist, is none of these, or is a folder with several sequences.
    """
    if isinstance(source, Video):
        return source
    if isinstance(source, np.ndarray):
        return Video(ArrayFrames(source))
    if isinstance(source, str | Path):
        return _open_path(Path(source))
    if all(hasattr(source, name) for name in ("height", "width", "__len__", "__getitem__")):
        return Video(source)
    raise ValueError(
        f"source: expected a path, an array uint8 [T, H, W, 3] or a video, got {type(source).__name__}; "
        "a list of frames becomes an array by numpy.stack"
    )


def _open_path(path: Path) -> Video:
    if path.is_dir():
        sequence = _davis_sequence(path)
        video = _from_folder(path) if sequence is None else _from_davis(sequence)
        _warn_of_unread(video.files[0].parent)
        return video
    if not path.is_file():
        raise ValueError(f"source: {path} does not exist")
    if is_zipfile(path):  # FFmpeg would find a picture somewhere in the zip and take it for a video.
        raise ValueError(f"source: {path.name} is a zip; unpack it and open the folder")
    pages = _pages(path)
    if pages is not None:
        return Video(ArrayFrames(pages), path.stem)
    from segmentation.video_file import VideoFileFrames  # imported here because only video files need PyAV

    frames = VideoFileFrames(path)
    return Video(frames, path.stem, fps=frames.fps)


def _warn_of_unread(folder: Path) -> None:
    names = unread_pictures(folder)
    if names:
        text = f"{folder} has pictures that cannot be read, so they are left out: {listed(names)}."
        warnings.warn(f"{text} Save them as JPEG or PNG.", stacklevel=4)  # The line that calls `open_video`.


def _from_folder(folder: Path) -> Video:
    try:
        frames = FolderFrames(folder)
    except ValueError as error:
        raise ValueError(f"source: {str(error).removeprefix('frames: ')}") from error
    return Video(frames, folder.resolve().name, files=frames.files)


def _from_davis(sequence: DavisSequence) -> Video:
    if sequence.problem:
        raise ValueError(f"source: {sequence.name}: {sequence.problem}")
    truth = sequence.labels if any(path is not None for path in sequence.mask_files) else None
    return Video(ImageFrames(sequence.frame_files), sequence.name, truth, files=sequence.frame_files)


def _davis_sequence(path: Path) -> DavisSequence | None:
    """Return the DAVIS sequence whose frames lie in the folder `path`, or the only sequence in the data set `path`.

    It returns None if `path` is not in the layout of DAVIS. Raises ValueError if it is a data set of several sequences.
    """
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        if folder.name.casefold() == FRAMES_FOLDER:
            level = resolved.relative_to(folder).parts[:1]
            wanted = level[0] if level and RESOLUTION.fullmatch(level[0]) else None
            for sequence in DavisFolder(folder.parent, wanted).sequences():
                if sequence.frame_files[0].resolve().parent == resolved:
                    return sequence
            return None
    try:
        found = list(DavisFolder(path).sequences())
    except FolderError:
        return None
    if len(found) > 1:
        raise ValueError(
            f"source: {path} holds {len(found)} sequences ({listed([each.name for each in found])}); "
            f"open one of them, such as {found[0].frame_files[0].parent}"
        )
    return found[0]


def _pages(path: Path) -> NDArray[np.uint8] | None:
    """Read the pages of an image file with several pages, uint8 RGB [T, H, W, 3].

    Returns None for a GIF and for a file that is no picture. Raises ValueError for a single picture.
    """
    try:
        with PillowImage.open(path) as image:
            count, format = getattr(image, "n_frames", 1), image.format
            are_frames = count > 1 and format != "GIF"
            pages = [np.asarray(page.convert("RGB")) for page in ImageSequence.Iterator(image)] if are_frames else []
    except UNREADABLE:
        return None
    if format == "GIF":
        return None
    if not pages:
        raise ValueError(f"source: {path.name} is a single picture; put the pictures of a video into a folder")
    return np.stack(pages)
