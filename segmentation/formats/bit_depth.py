"""Chooses which values of pictures with more than 8 bits for each channel become black and white."""

from __future__ import annotations


def black_and_white(lowest: float, highest: float, *, whole: bool) -> tuple[float, float]:
    """Return the values that become black and white in a sequence of pictures with more than 8 bits.

    Cameras store 10, 12 or 14 bits in files of 16 bits, and no header reliably says so. So black is 0, and white is the
    largest value of the smallest number of bits (8, 10, 12, 14 or 16) that holds all values of the whole sequence:
    frames stay comparable, and frames of few bits are not shown nearly black. Of floating-point values, white is 1 or
    255. If the highest value is above all of these, white is that value. If there are values below 0, black is the
    lowest and white the highest value.

    Args:
        lowest: the lowest value of all pictures of the sequence.
        highest: the highest value of all pictures of the sequence.
        whole: whether all values are whole numbers, as they are unless a picture has floating-point values.
    """
    if lowest < 0:
        return lowest, highest
    steps = (255, 1023, 4095, 16383, 65535) if whole else (1, 255)
    return 0.0, next((float(step) for step in steps if highest <= step), highest)
