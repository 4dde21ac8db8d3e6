from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segmentation.frames import ArrayFrames, FolderFrames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write five images, not in order, whose red channel is ten times the index of their frame, and a file of text."""
    for number in (3, 0, 1, 4, 2):
        image = np.zeros((6, 9, 3), np.uint8)
        image[..., 2] = number * 10
        cv2.imwrite(str(tmp_path / f"{number:05d}.png"), image)
    (tmp_path / "notes.txt").write_text("not a frame")
    return tmp_path


def test_a_folder_is_sorted_by_name(folder: Path) -> None:
    frames = FolderFrames(folder)
    assert len(frames) == 5
    assert (frames.height, frames.width) == (6, 9)
    assert [int(frames[i][0, 0, 0]) for i in range(5)] == [0, 10, 20, 30, 40]


def test_frame_2_comes_before_frame_10_and_clutter_is_no_frame(tmp_path: Path) -> None:
    for name in ("10.png", "2.png", "._2.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((6, 9, 3), np.uint8))
    assert [path.name for path in FolderFrames(tmp_path).files] == ["2.png", "10.png"]


def test_frames_are_rgb(folder: Path) -> None:
    assert FolderFrames(folder)[1][0, 0].tolist() == [10, 0, 0]


def test_a_frame_is_read_from_disk_once_while_it_fits(folder: Path) -> None:
    frames = FolderFrames(folder)
    first = frames[2]
    (folder / "00002.png").unlink()
    assert frames[2] is first


def test_the_cache_has_a_budget(folder: Path) -> None:
    frames = FolderFrames(folder, cache_bytes=2 * 6 * 9 * 3)
    for i in range(5):
        frames[i]
    (folder / "00000.png").unlink()
    with pytest.raises(ValueError, match=r"00000\.png"):
        frames[0]


def test_frames_cannot_be_written_to(folder: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        FolderFrames(folder)[0][0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        ArrayFrames(np.zeros((1, 4, 4, 3), np.uint8))[0][0, 0] = 1


def test_pictures_of_12_bits_are_scaled_alike_and_hidden_colours_are_black(tmp_path: Path) -> None:
    for number, value in enumerate((0, 2048, 4095)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((6, 9), value, np.uint16))
    frames = FolderFrames(tmp_path)
    assert [frames[index][0, 0].tolist() for index in range(3)] == [[0] * 3, [128] * 3, [255] * 3]
    clear = np.full((6, 9, 4), 200, np.uint8)
    clear[:, :4, 3] = 0
    cv2.imwrite(str(tmp_path / "0.png"), clear)
    assert FolderFrames(tmp_path)[0][0, [3, 4], 0].tolist() == [0, 157]


def test_a_file_of_several_pages_is_refused_with_the_way_to_open_it(tmp_path: Path) -> None:
    page = Image.new("RGB", (9, 6))
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page, page])
    with pytest.raises(ValueError, match=r"stack\.tif has 3 pages; open the file itself"):
        FolderFrames(tmp_path)


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_outside_is_an_index_error(folder: Path, index: int) -> None:
    with pytest.raises(IndexError, match=r"outside 0\.\.4"):
        FolderFrames(folder)[index]
    with pytest.raises(IndexError, match=r"outside 0\.\.4"):
        ArrayFrames(np.zeros((5, 4, 4, 3), np.uint8))[index]


def test_it_names_a_frame_of_another_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "00003.png"), np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r"00003\.png is 9x8, the first frame is 9x6"):
        FolderFrames(folder)[3]


def test_it_names_a_frame_that_is_no_image(folder: Path) -> None:
    (folder / "00003.png").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"00003\.png cannot be read"):
        FolderFrames(folder)[3]
    # A TIFF without the width and height of its picture, for which Pillow raises TypeError.
    for junk in (b"junk", b"II*\0\x08\0\0\0\0\0\0\0\0\0"):
        (folder / "00000.png").write_bytes(junk)
        with pytest.raises(ValueError, match=r"00000\.png cannot be read"):
            FolderFrames(folder)


def test_it_refuses_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no images"):
        FolderFrames(tmp_path)
    with pytest.raises(ValueError, match="not a folder"):
        FolderFrames(tmp_path / "nowhere")


@pytest.mark.parametrize("shape", [(4, 4, 3), (2, 4, 4), (2, 4, 4, 4), (0, 4, 4, 3)])
def test_it_refuses_arrays_that_are_no_video(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="frames"):
        ArrayFrames(np.zeros(shape, np.uint8))
