"""Conformance tests: engines refuse bad input with a sentence that names it, and change nothing.

`EngineConformance` inherits these tests, so that they run for every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from segmentation import Box, Click, EngineSettings, Interaction, MaskUpdate, PastRound, Scribble, create_engine_session
from segmentation.engine import Engine
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import Clip, interaction_on
from tests.segmentation.engine_tools import assert_same_updates


class InputConformance:
    engine: ClassVar[str]
    settings: ClassVar[EngineSettings | None]
    options: ClassVar[dict[str, Any]]
    height: ClassVar[int]
    width: ClassVar[int]

    def clip(self, **changes: Any) -> Clip:
        raise NotImplementedError

    def open(self, clip: Clip, num_objects: int | None = None, rounds: Sequence[PastRound] = ()) -> Engine:
        raise NotImplementedError

    def run(self, session: Engine, interaction: Interaction, stop_after: int | None = None) -> list[MaskUpdate]:
        raise NotImplementedError

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("scribbles", ()),
            *(("frame", value) for value in (99, -1, 1.5, None)),
            *(("object_id", value) for value in (2, -1, 1.5, True)),
            *(
                ("path", value)
                for value in ([0.5, 0.5], np.empty((0, 2)), [[0.5, 1.5]], [[np.nan, 0.5]], [[0.5, 0.5j]])
            ),
        ],
    )
    def test_bad_input_names_the_field_and_changes_nothing(self, field: str, value: Any) -> None:
        clip = self.clip(length=3)
        session, untouched = self.open(clip), self.open(clip)
        given = {"frame": 0, "object_id": 1, "path": [[0.5, 0.5]], field: value}
        scribbles = given.get("scribbles", (Scribble(given["object_id"], np.array(given["path"])),))
        with pytest.raises(ValueError, match=field):
            self.run(session, Interaction(given["frame"], scribbles))
        good = interaction_on(clip, 1)
        assert_same_updates(self.run(session, good), self.run(untouched, good))

    def test_numbers_of_numpy_count_as_numbers(self) -> None:
        clip = self.clip(length=3)
        good = interaction_on(clip, 1)
        path = good.scribbles[0].path.astype(np.float32)
        small = Interaction(np.uint8(1), (Scribble(np.uint8(1), path),))  # type: ignore[arg-type]
        plain = Interaction(1, (Scribble(1, path.astype(np.float64)),))
        assert_same_updates(self.run(self.open(clip), small), self.run(self.open(clip), plain))

    @pytest.mark.parametrize("num_objects", [0, 1.5, True])
    def test_it_refuses_no_objects(self, num_objects: Any) -> None:
        frames = ArrayFrames(self.clip(length=2).frames)
        with pytest.raises(ValueError, match="num_objects"):
            create_engine_session(self.engine, frames, num_objects, self.settings, **self.options)

    @pytest.mark.parametrize(("frame", "size", "field"), [(0, (3, 3), "labels"), (0.0, None, "frame")])
    def test_it_refuses_to_lock_what_is_no_mask_or_no_frame(self, frame: Any, size: Any, field: str) -> None:
        session = self.open(self.clip(length=2))
        with pytest.raises(ValueError, match=field):
            session.lock(frame, np.zeros(size or (self.height, self.width), np.uint8))
        assert not session.locked

    def test_it_refuses_an_option_it_does_not_have(self) -> None:
        frames = ArrayFrames(self.clip(length=2).frames)
        with pytest.raises(ValueError, match=r"options.*no_such_option"):
            create_engine_session(self.engine, frames, 1, self.settings, **{**self.options, "no_such_option": 1})

    @pytest.mark.parametrize(
        ("words", "arguments"),
        [
            ("interactions: empty", {"interactions": []}),
            ("interactions: two are of the same frame", {"interactions": "twice"}),
            ("span: the first frame, 2, is after the last one, 1", {"span": (2, 1)}),
            ("span: 9 is outside", {"span": (0, 9)}),
            ("span: 0..0 is without frame 1", {"span": (0, 0)}),
            ("span: expected", {"span": 3}),
            ("direction: expected one of both, forward, backward, got 'up'", {"direction": "up"}),
            ("objects: 2 is unknown", {"objects": [2]}),
            ("clicks.*point", {"interactions": Interaction(1, clicks=(Click(1, (0.5, 1.5)),))}),
            ("clicks.*negative", {"interactions": Interaction(1, clicks=(Click(0, (0.5, 0.5), False),))}),
            ("boxes.*corners", {"interactions": Interaction(1, boxes=(Box(1, (0.5, 0.5, 0.4, 0.6)),))}),
            ("boxes.*object_id", {"interactions": Interaction(1, boxes=(Box(0, (0.1, 0.1, 0.4, 0.6)),))}),
        ],
    )
    def test_a_round_that_cannot_be_run_says_why(self, words: str, arguments: dict[str, Any]) -> None:
        clip = self.clip(length=3)
        good = interaction_on(clip, 1)
        if arguments.get("interactions") == "twice":
            arguments = {"interactions": [good, good]}
        with pytest.raises(ValueError, match=words):
            list(self.open(clip).run_round(**{"interactions": good, **arguments}))

    def test_decisions_about_unknown_objects_or_frames_are_refused(self) -> None:
        session = self.open(self.clip(length=3))
        mask = np.zeros((self.height, self.width), np.uint8)
        with pytest.raises(ValueError, match="object_ids: 2 is unknown"):
            session.give(0, mask, [2])
        with pytest.raises(ValueError, match="frame: 3 is outside"):
            session.give(3, mask, [1])
        with pytest.raises(ValueError, match="labels: expected uint8"):
            session.give(0, mask[1:], [1])
        with pytest.raises(ValueError, match="span: the first frame"):
            session.absent(1, 2, 1)
        with pytest.raises(ValueError, match="object_id: 0 is unknown"):
            session.present(0, 0, 1)
        with pytest.raises(ValueError, match="object_ids: 2 is unknown"):
            session.freeze([2])
        with pytest.raises(ValueError, match="frames: 3 is outside"):
            list(session.prepare([3]))
