import numpy as np

from segmentation.classical.correction_reach import certain_region, possible_region


def test_a_stroke_through_the_middle_of_a_missed_band_gets_the_band_and_no_more() -> None:
    right = np.zeros((80, 200), bool)
    right[:, :100] = True
    missed = np.zeros_like(right)
    missed[10:70, 100:112] = True
    scribble = np.zeros_like(right)
    scribble[16:64, 105] = True
    found = certain_region(scribble, right)
    assert not (found & ~right & ~missed).any()
    assert (found & missed).sum() > 0.6 * missed.sum()
    wider = possible_region(scribble, right, 5)
    assert (wider & missed).sum() >= (found & missed).sum()


def test_a_stroke_far_from_the_mask_reaches_only_its_own_surroundings() -> None:
    right = np.zeros((80, 200), bool)
    right[:, :20] = True
    scribble = np.zeros_like(right)
    scribble[40, 150:160] = True
    assert 10 <= certain_region(scribble, right).sum() < 150
    assert possible_region(scribble, right, 10).sum() > certain_region(scribble, right).sum()


def test_a_stroke_where_it_belongs_reaches_nothing() -> None:
    right = np.ones((20, 30), bool)
    assert not certain_region(right & (np.arange(30) == 4), right).any()
