from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segmentation.evaluation.quick import main

pytestmark = pytest.mark.usefixtures("own_registry")

FAKE = ["--engine", "fake", "--engines", "tests.segmentation.fake_engine"]


def test_it_prints_j_for_every_sequence_and_their_mean(
    davis: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(davis(names=("reef", "wreck"))), *FAKE]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["reef", "wreck", "mean"]
    rounds = [line.split("J ")[1].split("   ")[0].split() for line in lines]
    assert [len(r) for r in rounds] == [3, 3, 3]
    means = np.array(rounds[:2], float).mean(axis=0)
    np.testing.assert_allclose(np.array(rounds[2], float), means, atol=0.0011)


def test_the_stored_scribble_comes_first(davis: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    main([str(davis()), *FAKE, "--corrections", "0"])
    assert "drawn on 1: 0.00>" in capsys.readouterr().out


@pytest.mark.parametrize("level", ["480p", ""])
def test_it_draws_the_first_scribble_where_none_is_stored(
    davis: Callable[..., Path], capsys: pytest.CaptureFixture[str], level: str
) -> None:
    assert main([str(davis(level, scribbles=False)), *FAKE]) == 0
    assert "drawn on 2: 0.00>" in capsys.readouterr().out  # the frame in which the objects are largest


def test_only_named_sequences_run(davis: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(davis(names=("reef", "wreck"))), *FAKE, "--sequences", "wreck"]) == 0
    assert "reef" not in capsys.readouterr().out


def test_it_exits_with_1_below_the_wanted_j(davis: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    root = str(davis())
    assert main([root, *FAKE, "--at-least", "0.01"]) == 0
    assert main([root, *FAKE, "--at-least", "0.99"]) == 1
    assert "below 0.99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sequences", "nowhere"], "nowhere"),
        (["--engine", "nothing"], "unknown 'nothing'"),
        (["--engines", "no.such.module"], "there is no module no"),
    ],
)
def test_it_says_what_is_wrong_and_exits_with_1(
    davis: Callable[..., Path], capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main([str(davis()), *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_it_says_that_a_root_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "error:" in capsys.readouterr().err
