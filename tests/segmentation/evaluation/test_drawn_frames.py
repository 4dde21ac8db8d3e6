import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segmentation.evaluation.davis_folder import DavisFolder, load_sequence
from segmentation.evaluation.drawn_frames import DrawnFrame, chosen_frames, draw_on, drawing, main, table
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session
from segmentation.types import Interaction

pytestmark = pytest.mark.usefixtures("own_registry")

FAKE = ["--engine", "fake", "--engines", "tests.segmentation.fake_engine"]


def test_it_prints_j_of_every_sequence_and_the_corrections_that_made_their_frame_worse() -> None:
    measured = [
        DrawnFrame("reef", 0, (0.5, 0.7, 0.6)),
        DrawnFrame("reef", 4, (0.9, 1.0)),  # nothing is wrong after one correction
        DrawnFrame("wreck", 2, (0.4, 0.4, 0.65)),
    ]
    lines = table(measured, 2).splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["reef", "2", "0.700", "0.850", "0.800"],
        ["wreck", "1", "0.400", "0.400", "0.650"],
        ["all", "3", "0.600", "0.700", "0.750"],
    ]
    assert lines[4] == "corrections: 5, mean gain 0.0900; 1 made their frame worse, by 0.1000 at most"
    assert lines[5:] == ["  reef 0, correction 2: 0.7000 to 0.6000"]


@pytest.mark.parametrize("strokes", ["middle", "casual"])
def test_a_folder_is_measured_frame_by_frame(
    davis: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], strokes: str
) -> None:
    root, out = davis(names=("reef", "wreck")), tmp_path / "drawn.json"
    options = ["--frames", "3", "--corrections", "2", "--strokes", strokes, "--out", str(out)]
    assert main(["--davis-root", str(root), *FAKE, *options]) == 0
    stored = json.loads(out.read_text())
    assert [(own["sequence"], own["frame"]) for own in stored] == [
        ("reef", 0), ("reef", 2), ("reef", 4), ("wreck", 0), ("wreck", 2), ("wreck", 4),
    ]  # fmt: skip
    assert all(len(own["j"]) == 3 for own in stored)
    means = np.mean([own["j"] for own in stored], axis=0)
    printed = capsys.readouterr().out.splitlines()[3].split()
    assert printed == ["all", "6", *(f"{j:.3f}" for j in means)]


def test_casual_strokes_are_the_same_with_the_same_seed_only(davis: Callable[..., Path]) -> None:
    region = load_sequence(DavisFolder(davis(), None), "reef").truth[0] == 1
    paths = [drawing("casual", seed, "reef", 0)(region, 1).path for seed in (0, 0, 1)]
    assert np.array_equal(paths[0], paths[1])
    assert not np.array_equal(paths[0], paths[2])


def test_frames_are_spread_over_those_that_show_an_object(davis: Callable[..., Path]) -> None:
    sequence = load_sequence(DavisFolder(davis(), None), "reef")
    sequence.truth[0] = 0
    assert chosen_frames(sequence, 2) == [1, 4]
    assert chosen_frames(sequence, 9) == [1, 2, 3, 4]


def test_the_mask_of_the_drawn_frame_is_that_of_the_whole_video(davis: Callable[..., Path]) -> None:
    """Two frames stand for the video: the engine's mask of the drawn frame is the same in both."""
    sequence = load_sequence(DavisFolder(davis(), None), "reef")
    truth, frame = sequence.truth[2], 2
    truth[:] = np.roll(truth, 6, axis=1)  # so that something is wrong in every round
    session = create_engine_session("star", sequence.frames(), sequence.num_objects)
    scribbles, expected = first_strokes(truth, sequence.num_objects), []
    for _ in range(3):
        masks = {update.frame: update.labels for update in session.run_round(Interaction(frame, scribbles))}
        expected.append(float(jaccard(truth, masks[frame], sequence.num_objects).mean()))
        correction = correcting_stroke(truth, masks[frame])
        assert correction is not None
        scribbles = (correction,)
    session.close()
    found = draw_on(sequence, frame, "star", 2, drawing("middle", 0, "reef", frame))
    assert found.j == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sequences", "nowhere"], "nowhere"),
        (["--engine", "nothing"], "unknown 'nothing'"),
        (["--engines", "no.such.module"], "there is no module no"),
        (["--frames", "0"], "--frames must be 1 or more"),
        (["--corrections", "-1"], "--corrections and --seed 0 or more"),
    ],
)
def test_it_says_what_is_wrong_and_exits_with_2(
    davis: Callable[..., Path], capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["--davis-root", str(davis()), *FAKE, *arguments]) == 2
    assert sentence in capsys.readouterr().err
