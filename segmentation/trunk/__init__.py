"""The pretrained trunk: an EfficientNet-Lite of ImageNet, frozen, from which networks read features of frames."""

from segmentation.trunk.network import SCALES, trunk_channels
from segmentation.trunk.trunk import STRIDES, Trunk, load_trunk
from segmentation.trunk.weights import TrunkError

TRUNKS = tuple(SCALES)  # the names of the variants

__all__ = ["STRIDES", "TRUNKS", "Trunk", "TrunkError", "load_trunk", "trunk_channels"]
