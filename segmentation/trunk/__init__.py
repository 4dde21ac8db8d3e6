"""The pretrained trunk: an EfficientNet-Lite of ImageNet, frozen, from which networks read features of frames."""

from segmentation.trunk.trunk import STRIDES, Trunk, load_trunk
from segmentation.trunk.weights import TrunkError

__all__ = ["STRIDES", "Trunk", "TrunkError", "load_trunk"]
