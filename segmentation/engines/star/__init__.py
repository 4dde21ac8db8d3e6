"""STAR (space-time adaptive read-out): this project's own engine, which joins the best ideas of four published ones.

The published ones are IPN, STM, MA-Net and ST-RNN.
"""
