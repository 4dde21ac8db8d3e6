"""The trunk: an EfficientNet-Lite pretrained on ImageNet and frozen, whose features other networks take as input."""

from segmentation.trunk.network import SCALES, trunk_channels
from segmentation.trunk.trunk import STRIDES, Trunk, load_trunk
from segmentation.trunk.weights import TrunkError

TRUNKS = tuple(SCALES)  # the names of the variants

__all__ = ["STRIDES", "TRUNKS", "Trunk", "TrunkError", "load_trunk", "trunk_channels"]
