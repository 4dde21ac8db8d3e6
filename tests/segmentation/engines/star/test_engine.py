from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from segmentation.cutter.refinement import RefinementNet, RefinementNetConfig
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.memory import MemoryFrame
from segmentation.engines.star.network import Star, StarConfig
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.types import Interaction, Scribble
from tests.segmentation.clips import make_clip
from tests.segmentation.engine_conformance import EngineConformance

TINY = StarConfig(widths=(4, 6, 8, 10), blocks=1, key=8, value=8, decoder=(8, 6, 4), skips=(4, 4, 4), embedding=4)
TINY_CUTTER = RefinementNetConfig(widths=(4, 4, 6, 8), skip=2)


def tiny() -> Star:
    torch.manual_seed(0)
    return Star(TINY).eval()


def tiny_cutter() -> RefinementNet:
    torch.manual_seed(0)
    return RefinementNet(TINY_CUTTER).eval()


class TestStar(EngineConformance):
    engine = "star"
    options: ClassVar[dict[str, Any]] = {"network": tiny(), "cutter": tiny_cutter()}


class TestStarThatShips(EngineConformance):
    engine = "star"


@pytest.mark.parametrize("objects", [1, 3])
def test_compiled_networks_find_the_same_masks(objects: int) -> None:
    clip = make_clip(length=7, height=96, width=128, num_objects=objects)
    rounds = [Interaction(frame, first_strokes(clip.truth[frame], objects)) for frame in (3, 6)]

    def masks(openvino: bool) -> NDArray[np.uint8]:
        session = StarEngine(ArrayFrames(clip.frames), objects, openvino=openvino)
        found = {update.frame: update.labels for round_ in rounds for update in session.run_round(round_)}
        session.close()
        return np.stack([found[frame] for frame in range(7)])

    with_openvino, with_torch = masks(True), masks(False)
    assert float((with_openvino == with_torch).mean()) > 0.99
    for number in range(1, objects + 1):
        both = (with_openvino == number) & (with_torch == number)
        assert both.sum() > 0.97 * ((with_openvino == number) | (with_torch == number)).sum()


def test_what_is_remembered_of_a_frame_stays_until_its_masks_change() -> None:
    clip = make_clip(length=8, height=48, width=64, num_objects=1)
    session = StarEngine(ArrayFrames(clip.frames), 1, network=tiny(), cutter=tiny_cutter())

    def remembered_in_the_next_round() -> MemoryFrame:
        session._propagated_refiner()
        return session._remember(0)

    for frame in (0, 7):
        list(session.run_round(Interaction(frame, first_strokes(clip.truth[frame], 1))))
    kept = remembered_in_the_next_round()
    assert remembered_in_the_next_round() is kept
    session.lock(0, 1 - clip.truth[0])
    assert remembered_in_the_next_round() is not kept


def test_the_cutter_has_the_say_where_a_stroke_contradicts() -> None:
    clip = make_clip(length=3, height=48, width=64, num_objects=1)
    frames, scribbles = ArrayFrames(clip.frames), first_strokes(clip.truth[1], 1)
    everything = tiny_cutter()
    torch.nn.init.constant_(everything.out.get_parameter("bias"), 50.0)  # says object everywhere
    plain, cut = (StarEngine(frames, 1, network=tiny(), cutter=cutter) for cutter in (None, everything))
    first = [next(iter(session.run_round(Interaction(1, scribbles)))).labels for session in (plain, cut)]
    assert first[1].mean() > 1.3 * first[0].mean()  # all of its window
    second = [next(iter(session.run_round(Interaction(1, scribbles)))).labels for session in (plain, cut)]
    for before, after in zip(first, second, strict=True):  # a stroke where the mask is right changes nothing
        np.testing.assert_array_equal(before, after)
    nothing = tiny_cutter()
    torch.nn.init.constant_(nothing.out.get_parameter("bias"), -50.0)
    cut._cutter = nothing
    background = Scribble(0, np.argwhere(second[1] == 0)[:1, ::-1] / (63, 47))
    wrong = Scribble(0, np.argwhere(second[1] == 1)[:1, ::-1] / (63, 47))
    kept = next(iter(cut.run_round(Interaction(1, (background,))))).labels
    emptied = next(iter(cut.run_round(Interaction(1, (wrong,))))).labels
    np.testing.assert_array_equal(kept, second[1])
    assert emptied.sum() < 0.5 * second[1].sum()


def test_reading_by_rows_is_reading_at_once() -> None:
    network = tiny()
    random = torch.Generator().manual_seed(0)
    query, memory = (torch.randn(8, cells, generator=random) for cells in (150, 170))
    values = torch.randn(3, 5, 170, generator=random)
    with torch.no_grad():
        affinity = torch.softmax(memory.T @ (network.sharpness.exp() * query), dim=0)  # [M, Q]
        torch.testing.assert_close(network.read(query, memory, values), values @ affinity)
