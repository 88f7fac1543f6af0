"""A network of one's own: any module of convolutions, batch normalisation, ReLU, pools, sums and linear layers.

Searched by own_network.yaml, which puts batch normalisation after any of its convolutions, wherever the module has its
own. rex simulate without --set bn=... takes the module as it is written: here without.
"""

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))


def build(in_channels: int, classes: int) -> nn.Module:
    """The search gives what the parameters ask for: in_channels, in_size, classes, and the workload's options."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), Residual(128), nn.MaxPool2d(2),
        nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), Residual(256),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, classes),
    )  # fmt: skip
