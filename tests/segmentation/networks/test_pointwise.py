import pytest
import torch
from torch import nn

from segmentation.networks.pointwise import Pointwise


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (1, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_it_is_the_convolution_whose_place_it_takes_learning_or_not(stride: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, plain = Pointwise(8, 16, stride, bias=True), nn.Conv2d(8, 16, 1, stride)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(3, 8, *size)
    torch.testing.assert_close(ours(x), plain(x))
    with torch.no_grad():
        assert torch.equal(ours(x), plain(x))
