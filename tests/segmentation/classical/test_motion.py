import numpy as np

from segmentation.classical.motion import CameraMotion, FlowEstimator, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame, Sizes, scale_frame
from tests.segmentation.clips import make_clip


def pair(shift: int) -> tuple[ScaledFrame, ScaledFrame]:
    """Return two frames with the same content, which is `shift` pixels further right in the first frame."""
    frame = make_clip(length=1, height=120, width=200, num_objects=3).frames[0]
    sizes = Sizes.of(120, 200, None)
    return scale_frame(np.roll(frame, shift, axis=1), sizes), scale_frame(frame, sizes)


def test_a_mask_is_carried_with_the_picture() -> None:
    now, before = pair(6)
    mask = np.zeros((120, 200), np.float32)
    mask[40:80, 60:120] = 1
    warped = FlowEstimator().between(now.grey, before.grey).warp(mask)
    moved = np.roll(mask, 6, axis=1)
    assert np.minimum(warped, moved).sum() / np.maximum(warped, moved).sum() > 0.9


def test_a_picture_that_stands_still_is_trusted() -> None:
    now, before = pair(0)
    motion = FlowEstimator().between(now.grey, before.grey)
    assert np.abs(motion.back).max() < 0.5
    assert motion.trust.min() > 0.7
    assert not motion.unseen.any()


def test_what_comes_into_the_picture_was_unseen() -> None:
    now, before = pair(0)
    motion = FlowEstimator().between(now.grey, before.grey)
    motion.back[..., 0] = -10
    assert (motion.unseen[:, :8] == 1).all()
    assert not motion.unseen[:, 12:].any()


def test_the_smallest_pictures_have_no_flow() -> None:
    sizes = Sizes.of(12, 20, None)
    tiny = scale_frame(make_clip(length=1, height=12, width=20).frames[0], sizes)
    assert not FlowEstimator().between(tiny.grey, tiny.grey).back.any()


def test_an_object_that_moves_unlike_the_camera_stands_out() -> None:
    now, before = pair(0)
    motion = FlowEstimator().between(now.grey, before.grey)
    motion.back[...] = (-2, 0)
    mask = np.zeros((120, 200), np.float32)
    mask[40:80, 60:120] = 1
    motion.back[40:80, 60:120] = (3, 1)
    camera = CameraMotion.of(motion, mask == 0)
    assert camera is not None
    assert np.abs(camera.field - (-2, 0)).max() < 0.3
    unlike = object_motion_score(motion, camera, mask)
    assert unlike[45:75, 65:115].min() > 1
    assert unlike[:30].max() < -1


def test_without_background_there_is_no_camera() -> None:
    now, before = pair(0)
    motion = FlowEstimator().between(now.grey, before.grey)
    nothing = np.zeros((120, 200), bool)
    assert CameraMotion.of(motion, nothing) is None
    assert not object_motion_score(motion, None, np.ones((120, 200), np.float32)).any()
