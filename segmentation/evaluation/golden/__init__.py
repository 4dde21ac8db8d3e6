"""Compare the published systems with numbers that their official code computed from deterministic weights.

`python -m segmentation.evaluation.golden DIR [--case a] [--system stm]` compares every array of every case in DIR.
"""
