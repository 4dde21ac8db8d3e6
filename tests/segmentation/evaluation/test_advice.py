import numpy as np

from segmentation.evaluation.advice import REACH, advised_frame


def test_the_frame_with_the_least_certain_object_is_advised() -> None:
    confidence = np.array([[0.9, 0.9], [0.8, 0.8], [0.95, 0.3], [0.5, 0.5]])
    assert advised_frame(confidence, set()) == 2


def test_frames_near_an_earlier_interaction_are_advised_only_when_there_is_no_other() -> None:
    confidence = np.linspace(0.1, 0.9, 12)[:, None]
    assert advised_frame(confidence, {0}) == REACH + 1
    assert advised_frame(confidence, {0, 4, 8, 11}) == 1


def test_a_video_whose_frames_were_all_asked_gets_its_least_certain_frame_again() -> None:
    assert advised_frame(np.array([[0.4], [0.2]]), {0, 1}) == 1
