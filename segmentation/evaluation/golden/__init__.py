"""Proof of exactness: the published systems against numbers that the official code gave with deterministic weights.

`python -m segmentation.evaluation.golden DIR [--case a] [--system stm]` compares every array of every case in DIR.
"""
