"""Runs on STAR the conformance tests that every engine must pass, and tests of STAR alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.classical import interacted_frame, scaled_frames
from segmentation.engines.star import engine as star_engine
from segmentation.engines.star.engine import MEMORY_FRAMES, StarEngine
from segmentation.engines.star.matching import Memory
from segmentation.engines.star.network import Star, StarConfig
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.types import Interaction
from tests.segmentation.clips import make_clip
from tests.segmentation.engine_conformance import EngineConformance


def tiny() -> Star:
    torch.manual_seed(0)
    return Star(StarConfig(embedding=8, context=4, widths=(8, 6, 4), blocks=1)).eval()


class TestStar(EngineConformance):
    engine = "star"


@pytest.mark.parametrize("objects", [1, 3])
def test_compiled_networks_find_the_same_masks(objects: int) -> None:
    clip = make_clip(length=7, height=96, width=128, num_objects=objects)
    rounds = [Interaction(frame, first_strokes(clip.truth[frame], objects)) for frame in (3, 6)]

    def masks(openvino: bool) -> NDArray[np.uint8]:
        session = StarEngine(ArrayFrames(clip.frames), objects, openvino=openvino)
        found = {update.frame: update.labels for drawn in rounds for update in session.run_round(drawn)}
        session.close()
        return np.stack([found[frame] for frame in range(7)])

    with_openvino, with_torch = masks(True), masks(False)
    assert float((with_openvino == with_torch).mean()) > 0.99
    for number in range(1, objects + 1):
        both = (with_openvino == number) & (with_torch == number)
        assert both.sum() > 0.97 * ((with_openvino == number) | (with_torch == number)).sum()


def test_a_prepared_frame_gets_the_same_mask_without_flow_and_features(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(length=3, height=64, width=80, num_objects=1)
    drawn = Interaction(1, first_strokes(clip.truth[1], 1))
    found = []
    for prepared in (False, True):
        session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
        if prepared:
            assert list(session.prepare([1, 2])) == [1, 2]
            monkeypatch.setattr(interacted_frame, "FlowEstimator", None)
            monkeypatch.setattr(scaled_frames, "random_features", None)
        found.append(session.preview(drawn).labels)
    assert found[0].any()
    assert (found[0] == found[1]).all()


def test_preparing_frames_around_a_frame_keeps_what_a_drawing_on_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(length=13, height=64, width=80, num_objects=1)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
    nearest = sorted(range(13), key=lambda frame: abs(frame - 6))
    assert list(session.prepare(nearest)) == nearest
    monkeypatch.setattr(scaled_frames, "scale_frame", None)  # No frame is read and scaled again.
    assert session.preview(Interaction(6, first_strokes(clip.truth[6], 1))).labels.any()


def test_preparing_stops_between_the_features_and_the_flow_of_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(length=3, height=64, width=80, num_objects=1)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
    encoded: list[int] = []
    encode = session._video.encoded
    monkeypatch.setattr(session._video, "encoded", lambda frame: (encoded.append(frame), encode(frame))[1])
    monkeypatch.setattr(session._video, "flow", None)  # Nobody waits for it,
    monkeypatch.setattr(session._drawing, "prepare", None)  # or for this.
    session.stopping = lambda: bool(encoded)
    assert list(session.prepare([0, 1])) == [0]
    assert encoded == [0]


def test_a_session_counts_the_memory_that_it_uses_and_not_all_that_it_may_use() -> None:
    clip = make_clip(length=3, height=64, width=80, num_objects=1)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
    sizes = [session.nbytes for _ in session.prepare([0, 1, 2])]
    assert sizes == sorted(set(sizes)), "each frame adds its features"
    assert sizes[-1] < session.settings.memory_bytes


FOREIGN = np.random.default_rng(1).integers(0, 256, (144, 192, 3)).astype(np.uint8)


@pytest.mark.parametrize("instead", [np.uint8(0), np.uint8(255), FOREIGN], ids=["black", "white", "foreign"])
def test_an_object_comes_back_after_a_frame_that_does_not_show_it(instead: NDArray[np.uint8]) -> None:
    clip = make_clip(length=9, height=144, width=192, num_objects=1)
    frames = clip.frames.copy()
    frames[4] = instead
    session = StarEngine(ArrayFrames(frames), 1)
    session.lock(0, clip.truth[0])
    found = {u.frame: u for u in session.run_round(Interaction(0, first_strokes(clip.truth[0], 1)))}
    j = [float(jaccard(clip.truth[t], found[t].labels, 1)[0]) for t in range(1, 9)]
    assert np.mean(j[4:]) >= 0.95 * np.mean(j[:3])


def test_annotated_frames_keep_their_masks_also_when_more_are_annotated_than_a_round_reads() -> None:
    length = MEMORY_FRAMES + 4
    clip = make_clip(length=length, height=48, width=64, num_objects=1)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
    drawn: dict[int, NDArray[np.uint8]] = {}
    for frame in range(length):
        updates = list(session.run_round(Interaction(frame, first_strokes(clip.truth[frame], 1))))
        assert not set(drawn) & {update.frame for update in updates}
        drawn[frame] = updates[0].labels


def test_a_frame_annotated_before_an_object_was_drawn_keeps_the_others_and_gets_the_new_one() -> None:
    clip = make_clip(length=6, height=96, width=128, num_objects=2)
    session = StarEngine(ArrayFrames(clip.frames), 2)
    first = first_strokes(clip.truth[1], 2)
    updates = list(session.run_round(Interaction(1, tuple(s for s in first if s.object_id == 1))))
    before = updates[0].labels == 1
    second = first_strokes(clip.truth[4], 2)
    again = {u.frame: u for u in session.run_round(Interaction(4, tuple(s for s in second if s.object_id == 2)))}
    np.testing.assert_array_equal(again[1].labels == 1, before)
    assert (again[1].labels == 2).any()


def test_no_object_of_one_pixel_and_no_forty_objects_stop_a_round() -> None:
    clip = make_clip(length=3, height=64, width=96, num_objects=1)
    dot = np.zeros((64, 96), np.uint8)
    dot[30, 40] = 1
    many = np.zeros((64, 96), np.uint8)
    for number in range(40):
        many[8 * (number // 10) + 4 : 8 * (number // 10) + 8, 9 * (number % 10) + 2 : 9 * (number % 10) + 7] = (
            number + 1
        )
    for mask, objects in ((dot, 1), (many, 40)):
        session = StarEngine(ArrayFrames(clip.frames), objects, network=tiny())
        session.lock(0, mask)
        updates = list(session.run_round(Interaction(0, first_strokes(mask, objects))))
        assert [update.frame for update in updates] == [1, 2]
        assert all(len(update.confidence) == objects for update in updates)


def test_answers_of_the_round_are_read_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(length=13, height=48, width=64, num_objects=1)
    compared: list[int] = []
    whole = star_engine.gather_cues

    def counted(embedding: Tensor, memory: Memory, *rest: Any) -> Any:
        compared.append(len(memory.cells))
        return whole(embedding, memory, *rest)

    monkeypatch.setattr(star_engine, "gather_cues", counted)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny())
    list(session.run_round(Interaction(0, first_strokes(clip.truth[0], 1))))
    # The annotated frame, which is compared ahead, is not in this memory. Every fifth step adds a mask of the round.
    assert [min(1, cells) for cells in compared] == [0] * 5 + [1] * 7
    assert compared[10] > compared[9]
