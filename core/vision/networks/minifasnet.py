"""MiniFASNet as a torch module, with the weights of the authors' files.

Sources: the layers that the files themselves describe, in the shape of MobileFaceNet (Chen et al.,
2018, arXiv:1804.07573): bottlenecks of a 1 x 1, a depthwise 3 x 3 and a 1 x 1 convolution, most with a
shortcut; squeeze and excitation (Hu et al., 2018, CVPR) in the last of each stage of V1SE. The widths
inside the bottlenecks differ because the authors pruned them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import ModelError

PARALLEL = "module."  # the files were saved from a network spread over several GPUs
CLASSES = 3  # the second is a real face; the first and third are attacks
REAL = 1


@dataclass(frozen=True, slots=True)
class Widths:
    """How many channels the bottlenecks have inside: at each halving, and in the stages between."""

    halving: tuple[int, int, int]
    stages: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    excited: bool  # squeeze and excitation at the end of each stage


V2 = Widths((103, 231, 308), ((13, 13, 13, 13), (231, 52, 26, 77, 26, 26), (26, 26)), excited=False)
V1SE = Widths((103, 231, 308), ((13, 26, 13, 52), (154, 52, 26, 52, 26, 26), (26, 26)), excited=True)


class MiniFASNet(nn.Module):
    """Faces (n, 3, 80, 80), BGR from 0 to 255 -> one logit a class; the names are those in the files."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        first, second, third = widths.halving
        stages = [
            _stage(c, inside, widths.excited) for c, inside in zip((64, 128, 128), widths.stages, strict=True)
        ]
        self.conv1 = Convolution(3, 32, 3, stride=2, padding=1)
        self.conv2_dw = Convolution(32, 32, 3, padding=1, groups=32)
        self.conv_23 = Bottleneck(32, first, 64, stride=2)
        self.conv_3 = stages[0]
        self.conv_34 = Bottleneck(64, second, 128, stride=2)
        self.conv_4 = stages[1]
        self.conv_45 = Bottleneck(128, third, 128, stride=2)
        self.conv_5 = stages[2]
        self.conv_6_sep = Convolution(128, 512, 1)
        self.conv_6_dw = Convolution(512, 512, 5, groups=512, activated=False)
        self.linear = nn.Linear(512, 128, bias=False)
        self.bn = nn.BatchNorm1d(128)
        self.prob = nn.Linear(128, CLASSES, bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        """The logits, shape (n, 3)."""
        maps = self.conv_23(self.conv2_dw(self.conv1(faces)))
        maps = self.conv_34(self.conv_3(maps))
        maps = self.conv_5(self.conv_45(self.conv_4(maps)))
        maps = self.conv_6_dw(self.conv_6_sep(maps))
        logits: Tensor = self.prob(self.bn(self.linear(maps.flatten(1))))
        return logits


class Convolution(nn.Module):
    """A convolution without bias, its norm and, unless it closes a bottleneck, PReLU."""

    def __init__(
        self,
        before: int,
        after: int,
        size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        activated: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, size, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(after)
        self.prelu = nn.PReLU(after) if activated else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """The maps after all of it."""
        found: Tensor = self.prelu(self.bn(self.conv(maps)))
        return found


class Bottleneck(nn.Module):
    """Widen or narrow, filter each channel, project; with a shortcut where nothing is halved."""

    def __init__(
        self, before: int, inside: int, after: int, *, stride: int = 1, excited: bool = False
    ) -> None:
        super().__init__()
        self.conv = Convolution(before, inside, 1)
        self.conv_dw = Convolution(inside, inside, 3, stride=stride, padding=1, groups=inside)
        self.project = Convolution(inside, after, 1, activated=False)
        self.se_module = Excitation(after) if excited else nn.Identity()
        self.shortcut = stride == 1

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same size, or of half of it."""
        found: Tensor = self.se_module(self.project(self.conv_dw(self.conv(maps))))
        return found + maps if self.shortcut else found


class Excitation(nn.Module):
    """Weights each channel by what all of them are on average."""

    def __init__(self, channels: int, squeeze: int = 4) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // squeeze, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels // squeeze)
        self.fc2 = nn.Conv2d(channels // squeeze, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """The weighted maps."""
        squeezed = torch.relu(self.bn1(self.fc1(maps.mean(dim=(2, 3), keepdim=True))))
        return maps * torch.sigmoid(self.bn2(self.fc2(squeezed)))


def _stage(channels: int, inside: tuple[int, ...], excited: bool) -> nn.Sequential:
    last = len(inside) - 1
    return nn.Sequential(
        *(
            Bottleneck(channels, width, channels, excited=excited and place == last)
            for place, width in enumerate(inside)
        )
    )


def load(path: Path, widths: Widths) -> MiniFASNet:
    """The network with the weights of the file, ready to predict.

    Raises ModelError when the file lacks a layer, has one too many or one of another shape.
    """
    network = MiniFASNet(widths)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({_named(name): value for name, value in state.items()}, strict=True)
    except Exception as error:  # torch raises many classes on bytes that it cannot read
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{path} is not MiniFASNet as its authors saved it: {reason}") from error
    return network.eval()


def _named(name: str) -> str:
    return name.removeprefix(PARALLEL).replace(".model.", ".")
