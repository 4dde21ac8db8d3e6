"""Tests sessions for scripts and notebooks (`segmentation.open_session`): drawing, and getting, giving, saving masks.

A wrong argument raises an error that names it, and changes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import segmentation as seg
from tests.segmentation.clips import make_clip
from tests.segmentation.fake_engine import ENGINES

FRAMES = make_clip(length=5).frames
LINE = [(0.4, 0.5), (0.5, 0.55)]
DRAWN = seg.Scribble(1, np.array(LINE))


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, spec in ENGINES.items():
        monkeypatch.setitem(seg.ENGINES, name, spec)


@pytest.fixture
def session() -> Iterator[seg.InteractiveSession]:
    with seg.open_session("fake", FRAMES) as opened:
        yield opened


def test_a_video_is_closed_if_no_session_can_be_opened_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), FRAMES[0])
    closed: list[seg.Video] = []
    monkeypatch.setattr(seg.Video, "close", lambda self: closed.append(self))
    with pytest.raises(ValueError, match="objects"):
        seg.open_session("fake", tmp_path, objects=0)
    assert len(closed) == 1
    with pytest.raises(ValueError, match="objects"):
        seg.open_session("fake", seg.open_video(tmp_path), objects=0)
    assert len(closed) == 1


def test_a_scribble_yields_masks_and_the_session_keeps_the_newest(session: seg.InteractiveSession) -> None:
    drawing = session.scribble(frame=2, object=1, path=LINE)
    frames = [update.frame for update in drawing]
    assert (frames[0], sorted(frames), drawing.done, drawing.total) == (2, [0, 1, 2, 3, 4], 5, 5)
    mask = session.masks[4]
    assert (mask.shape, mask.dtype, set(np.unique(mask))) == ((48, 64), np.uint8, {0, 1})
    assert session.scribble(frame=0, object=2, path=LINE).run() == 5
    assert session.objects == 2
    assert 2 in session.masks[0]
    assert [each.frame for each in session.interactions] == [2, 0]


def test_several_scribbles_are_one_round(session: seg.InteractiveSession) -> None:
    scribbles = [seg.Scribble(1, np.array(LINE)), seg.Scribble(3, [(0.1, 0.1)])]  # type: ignore[arg-type]
    assert session.draw(frame=1, scribbles=scribbles).run() == 5
    assert (session.objects, len(session.interactions)) == (3, 1)
    assert set(np.unique(session.masks[1])) == {0, 1, 3}


def test_a_round_that_is_left_keeps_its_masks_and_ends(session: seg.InteractiveSession) -> None:
    drawing = session.scribble(frame=2, object=1, path=LINE)
    next(drawing)
    assert set(session.masks) == {2}
    session.scribble(frame=0, object=1, path=LINE).run()
    assert list(drawing) == []
    assert len(session.masks) == 5


def test_a_round_that_was_never_begun_is_not_among_the_interactions(session: seg.InteractiveSession) -> None:
    session.scribble(frame=2, object=1, path=LINE)
    assert session.interactions == []


def test_a_mask_that_was_given_is_not_changed(session: seg.InteractiveSession) -> None:
    given = np.zeros((48, 64), np.uint8)
    given[10:20, 10:20] = 2
    session.give(3, given)
    assert (session.locked, session.objects) == ((3,), 2)
    drawing = session.scribble(frame=2, object=1, path=LINE)
    assert (drawing.run(), drawing.total) == (4, 4)
    assert np.array_equal(session.masks[3], given)
    session.release(3)
    session.scribble(frame=2, object=1, path=LINE).run()
    assert not np.array_equal(session.masks[3], given)


def test_clicks_boxes_and_several_frames_draw_too(session: seg.InteractiveSession) -> None:
    assert session.click(frame=1, object=2, point=(0.5, 0.5)).run() == 5
    assert session.objects == 2
    assert 2 in session.masks[1]
    assert session.box(frame=0, object=1, corners=(0.1, 0.1, 0.4, 0.5)).run() == 5
    assert not (session.masks[0][30:] == 1).any()
    session.click(frame=1, object=2, point=(0.5, 0.5), positive=False).run()
    assert session.masks[1][23, 31] == 0
    line = (seg.Scribble(1, np.array(LINE)),)
    drawing = session.interact([seg.Interaction(0, line), seg.Interaction(4, line)], span=(0, 4), only=[1])
    assert [update.frame for update in drawing] == [0, 4, 1, 2, 3]
    assert (drawing.done, drawing.total) == (5, 5)
    assert session.interact(seg.Interaction(2, line), direction="forward").run() == 3
    assert [each.frame for each in session.interactions] == [1, 0, 1, 0, 4, 2]


def test_a_preview_changes_nothing(session: seg.InteractiveSession) -> None:
    interaction = seg.Interaction(2, (seg.Scribble(1, np.array(LINE)),))
    seen = session.preview(interaction)
    assert (dict(session.masks), session.interactions) == ({}, [])
    session.prepare([2])
    assert np.array_equal(next(session.interact(interaction)).labels, seen.labels)


def test_objects_can_be_given_frozen_and_absent(session: seg.InteractiveSession) -> None:
    session.scribble(frame=2, object=2, path=LINE).run()
    painted = np.zeros((48, 64), np.uint8)
    painted[10:20, 10:20] = 1
    session.give(3, painted, objects=[1])
    assert set(np.unique(session.masks[3])) == {0, 1, 2}
    session.freeze([2])
    before = session.masks[0] == 2
    session.scribble(frame=0, object=1, path=LINE).run()
    assert np.array_equal(session.masks[3] == 1, painted == 1)
    assert np.array_equal(session.masks[0] == 2, before)
    session.absent(object=1, first=0, last=3)
    assert [1 in session.masks[frame] for frame in range(5)] == [False, False, False, True, True]
    session.present(object=1, first=0, last=3)
    session.release(3)
    session.scribble(frame=0, object=1, path=LINE).run()
    assert 1 in session.masks[0]
    assert not np.array_equal(session.masks[3] == 1, painted == 1)


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        ("click", {"frame": 0, "object": 3, "point": (0.5,)}, "^point: expected 2 fractions"),
        ("click", {"frame": 0, "object": 300, "point": (0.5, 0.5)}, "^object: expected 1"),
        ("box", {"frame": 0, "object": 3, "corners": "here"}, "^corners: expected 4 numbers"),
        ("box", {"frame": 0, "object": 3, "corners": (0.5, 0.5, 0.4, 0.6)}, "corners: expected x0 < x1"),
        ("absent", {"object": 3, "first": 0, "last": 1}, "^object: 3 is unknown"),
        ("present", {"object": 3, "first": 0, "last": 1}, "^object: 3 is unknown"),
        ("freeze", {"objects": [3]}, "^objects: 3 is unknown"),
        ("freeze", {"objects": 1}, "^objects: expected a list, got int"),
        ("give", {"frame": 0, "labels": np.zeros((48, 64), np.uint8), "objects": 1}, "^objects: expected a list, got"),
        ("release", {"frame": 5}, "^frame: 5 is outside"),
        ("prepare", {"frames": 1}, "^frames: expected a list, got int"),
        ("prepare", {"frames": [0, 5]}, "^frames: 5 is outside"),
        ("preview", {"interaction": "here"}, "^interactions: expected segmentation.Interaction, got str"),
        ("draw", {"frame": 0, "scribbles": DRAWN}, "^scribbles: expected a list, got Scribble"),
        ("draw", {"frame": 0, "scribbles": None}, "^scribbles: expected a list, got NoneType"),
        ("interact", {"interactions": "here"}, "^interactions: expected a list, got str"),
        ("interact", {"interactions": None}, "^interactions: expected a list, got NoneType"),
        ("interact", {"interactions": [DRAWN]}, "^interactions: expected segmentation.Interaction, got Scribble"),
        ("interact", {"interactions": seg.Interaction(0, DRAWN)}, "^interaction.scribbles: expected a tuple, got Scr"),  # type: ignore[arg-type]
        (
            "interact",
            {"interactions": seg.Interaction(0, ((1, LINE),))},  # type: ignore[arg-type]
            r"^interaction.scribbles\[0\]: expected segmentation.Scribble, got tuple",
        ),
        (
            "interact",
            {"interactions": seg.Interaction(0, clicks=((1, (0.5, 0.5)),))},  # type: ignore[arg-type]
            r"^interaction.clicks\[0\]: expected segmentation.Click, got tuple",
        ),
        ("interact", {"interactions": seg.Interaction(0, (DRAWN,)), "only": 1}, "^only: expected a list, got int"),
        ("interact", {"interactions": seg.Interaction(0, (DRAWN,)), "only": [7]}, "^only: 7 is unknown"),
        ("save", {"folder": 5}, "^folder: expected a path, got int"),
    ],
)
def test_a_prompt_or_decision_that_cannot_be_used_changes_nothing(
    session: seg.InteractiveSession, call: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(session, call)(**arguments)
    with pytest.raises(ValueError, match="span: the first frame"):
        session.interact(seg.Interaction(0, (seg.Scribble(3, np.array(LINE)),)), span=(2, 1))
    assert (session.objects, session.interactions, len(session.masks)) == (1, [], 0)


def test_everything_is_saved_in_every_format_and_comes_back(session: seg.InteractiveSession, tmp_path: Path) -> None:
    session.scribble(frame=2, object=1, path=LINE).run()
    labels = session.save(tmp_path / "a" / "labels")
    assert [np.array_equal(seg.read_labels(labels / f"{i:05}.png"), session.masks[i]) for i in range(5)] == [True] * 5
    back = seg.open_video(session.save(tmp_path / "davis", format="davis"))
    assert (len(back), np.array_equal(back.truth(4), session.masks[4])) == (5, True)  # type: ignore[arg-type]
    scribbles = session.save(tmp_path / "drawn", format="scribbles") / "scribbles.json"
    (read,) = seg.read_scribbles(scribbles, 5)
    with seg.open_session("fake", FRAMES) as again:
        again.interact(read).run()
        assert all(np.array_equal(again.masks[frame], session.masks[frame]) for frame in range(5))


def test_saving_refuses_what_it_cannot_write(session: seg.InteractiveSession, tmp_path: Path) -> None:
    for form, words in (("labels", "no frame has a mask yet"), ("scribbles", "nothing was drawn yet")):
        with pytest.raises(ValueError, match=words):
            session.save(tmp_path / "out", format=form)
    with pytest.raises(ValueError, match="format: unknown 'coco', known are labels, davis, scribbles"):
        session.save(tmp_path / "out", format="coco")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    session.scribble(frame=2, object=1, path=LINE).run()
    with pytest.raises(ValueError, match=r"folder: .*file is a file"):
        session.save(tmp_path / "file")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"frame": 5}, r"^frame: 5 is outside 0\.\.4"),
    ({"frame": -1}, "^frame: -1 is outside"),
    ({"frame": 1.5}, "^frame: expected a whole number"),
    ({"object": 255}, r"^object: expected 1\.\.254, or 0 for the background, got 255"),
    ({"object": True}, "^object: expected 1"),
    ({"object": "1"}, "^object: expected 1"),
    ({"path": []}, "^path: expected at least one point"),
    ({"path": [0.4, 0.5]}, r"^path: expected at least one point \(x, y\), \[P, 2\], got shape \(2,\)"),
    ({"path": [(40, 50)]}, r"^path: points are fractions of width and height, 0\.\.1; divide pixels by"),
    ({"path": [(float("nan"), 0.5)]}, "^path: points are fractions"),
    ({"path": "here"}, "^path: expected points"),
    ({"path": [(0.1, 0.2), (0.3,)]}, "^path: expected points"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD)
def test_what_is_wrong_names_the_argument_and_changes_nothing(
    session: seg.InteractiveSession, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        session.scribble(**{"frame": 0, "object": 2, "path": LINE, **wrong})
    assert (session.objects, session.interactions, len(session.masks)) == (1, [], 0)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((3, 3), np.uint8), r"^labels: expected uint8 \(48, 64\)"),
        (np.zeros((48, 64), np.int64), "^labels: expected uint8"),
        (np.full((48, 64), 255, np.uint8), "^labels: 255 is no object"),
        ([[0]], "^labels: expected uint8"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(session: seg.InteractiveSession, labels: NDArray[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        session.give(0, labels)
    assert session.locked == ()


def test_opening_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="engine: unknown 'nosuch', known are flow, star"):
        seg.open_session("nosuch", FRAMES)
    with pytest.raises(ValueError, match="engine: expected the name of an engine, got ndarray; the video comes second"):
        seg.open_session(FRAMES, "flow")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"num_objects: 0 is outside 1\.\.254"):
        seg.open_session("fake", FRAMES, objects=0)
    with pytest.raises(ValueError, match="fake does not know nosuch"):
        seg.open_session("fake", FRAMES, nosuch=1)
    with pytest.raises(ValueError, match=r"^device: expected a name, got 3"):
        seg.open_session("stm", FRAMES, device=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^frames: expected a video, as from open_video, got ndarray"):
        seg.create_engine_session("fake", FRAMES, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^settings: expected segmentation.EngineSettings, got dict"):
        seg.create_engine_session("fake", seg.open_video(FRAMES), 1, {"device": "cpu"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^module: json has no dict ENGINES"):
        seg.load_engines("json")
    with pytest.raises(ValueError, match=r"^module: there is no module no$"):
        seg.load_engines("no.such")
    with pytest.raises(ValueError, match=r"^module: there is no module tests\.no_such$"):
        seg.load_engines("tests.no_such")
    with pytest.raises(ValueError, match=r"^module: expected the dotted name of a module, got 5"):
        seg.load_engines(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^rounds: expected segmentation.PastRound, got int"):
        seg.create_engine_session("fake", seg.open_video(FRAMES), 1, rounds=[1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^rounds: expected a sequence of segmentation.PastRound, got int"):
        seg.create_engine_session("fake", seg.open_video(FRAMES), 1, rounds=1)  # type: ignore[arg-type]


def test_engines_whose_own_imports_are_missing_say_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needy_engines.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        seg.load_engines("needy_engines")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: seg.read_labels(5), "path"),  # type: ignore[arg-type]
        (lambda: seg.write_labels(5, np.zeros((2, 2), np.uint8)), "path"),  # type: ignore[arg-type]
        (lambda: seg.read_scribbles(5), "path"),  # type: ignore[arg-type]
        (lambda: seg.write_scribbles(5, [], "dog", 1), "path"),  # type: ignore[arg-type]
        (lambda: seg.DavisFolder(5), "root"),  # type: ignore[arg-type]
    ],
    ids=["read_labels", "write_labels", "read_scribbles", "write_scribbles", "DavisFolder"],
)
def test_what_is_no_path_is_refused(call: Callable[[], object], argument: str) -> None:
    with pytest.raises(ValueError, match=f"^{argument}: expected a path, got int$"):
        call()


def test_what_is_no_interaction_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(seg.ScribbleError, match=r"^interactions: expected segmentation.Interaction, got str$"):
        seg.write_scribbles(tmp_path / "dog.json", ["a"], "dog", 1)  # type: ignore[list-item]
    assert not (tmp_path / "dog.json").exists()


def test_a_closed_session_says_so(session: seg.InteractiveSession) -> None:
    session.scribble(frame=2, object=1, path=LINE).run()
    session.close()
    session.close()
    calls: list[Callable[[], object]] = [
        lambda: session.scribble(frame=0, object=1, path=LINE),
        lambda: session.scribble(frame=0, object=1, path="wrong"),
        lambda: session.click(frame=0, object=1, point="wrong"),
        lambda: session.box(frame=0, object=1, corners="wrong"),
        lambda: session.draw(frame=0, scribbles=()),
        lambda: session.interact(seg.Interaction(99)),
        lambda: session.preview(seg.Interaction(99)),
        lambda: session.prepare([99]),
        lambda: session.give(99, np.full((1, 1), 255, np.uint8)),
        lambda: session.release(99),
        lambda: session.absent(object=99, first=0, last=0),
        lambda: session.present(object=99, first=0, last=0),
        lambda: session.freeze([99]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^session: it is closed"):
            call()
    assert len(session.masks) == 5


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in seg.__all__:
        public = getattr(seg, name)
        assert name in dir(seg)
        assert name == "ENGINES" or public.__doc__, f"{name} has no docstring"
        assert not inspect.ismodule(public), f"{name} is also a module of the package, which hides it"
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = seg.nosuch
