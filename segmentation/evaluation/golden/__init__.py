"""Compares the published systems with golden arrays, which their official code computed with deterministic weights.

`python -m segmentation.evaluation.golden DIR [--case a] [--system stm]` compares every array of every case in DIR.
"""
