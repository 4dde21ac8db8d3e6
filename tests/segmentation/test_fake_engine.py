from collections.abc import Iterator

import numpy as np
import pytest

from segmentation import registry
from tests.segmentation.clips import interaction_on
from tests.segmentation.engine_conformance import EngineConformance


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    """Add the fake engine to the registry before the first session is opened, which all tests of the suite share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ENGINES", dict(registry.ENGINES))
        registry.load_engines("tests.segmentation.fake_engine")
        yield


class TestFake(EngineConformance):
    engine = "fake"

    def test_a_mask_moves_one_pixel_a_frame(self) -> None:
        clip = self.clip()
        masks = {u.frame: u.labels for u in self.run(self.open(clip), interaction_on(clip, 3))}
        np.testing.assert_array_equal(masks[4][:, 1:], masks[3][:, :-1])
        np.testing.assert_array_equal(masks[2][:, :-1], masks[3][:, 1:])

    def test_it_fails_where_it_is_told_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FAKE_ENGINE_FAIL_AT", "5")
        clip = self.clip()
        with pytest.raises(RuntimeError, match="frame 5"):
            self.run(self.open(clip), interaction_on(clip, 3))
