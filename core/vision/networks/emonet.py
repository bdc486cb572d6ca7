"""EmoNet as a torch module that reads its authors' checkpoints.

Sources: Toisoul, Kossaifi, Bulat, Tzimiropoulos & Pantic (2021), Nature Machine Intelligence 3,
42-50: two stacked hourglasses find the landmarks, their heatmaps say where to look, and a small
network reads expression, valence and arousal there. Hourglass and block: Bulat & Tzimiropoulos
(2017), ICCV, "How far are we from solving the 2D & 3D face alignment problem?". Names of modules
are those of the checkpoints' keys. An independent implementation, not endorsed by the authors.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelError

LANDMARKS = 68
WIDTH = 256  # channels of every map after the stem
DEPTH = 4  # halvings in an hourglass
READING = 4  # blocks of the network that reads the emotion
PREFIX = "module."  # left in the keys by the wrapper under which the authors trained


class Block(nn.Module):
    """Three convolutions, each fed by the one before, side by side, on top of the input."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        half, quarter = after // 2, after // 4
        self.bn1, self.conv1 = nn.BatchNorm2d(before), _convolution(before, half)
        self.bn2, self.conv2 = nn.BatchNorm2d(half), _convolution(half, quarter)
        self.bn3, self.conv3 = nn.BatchNorm2d(quarter), _convolution(quarter, quarter)
        shortcut = (nn.BatchNorm2d(before), nn.ReLU(), nn.Conv2d(before, after, 1, bias=False))
        self.downsample = nn.Sequential(*shortcut) if before != after else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same height and width."""
        first = self.conv1(_rectified(self.bn1(maps)))
        second = self.conv2(_rectified(self.bn2(first)))
        third = self.conv3(_rectified(self.bn3(second)))
        return torch.cat((first, second, third), dim=1).add_(self.downsample(maps))


class Hourglass(nn.Module):
    """Halves the maps four times and adds each size back on the way up."""

    def __init__(self) -> None:
        super().__init__()
        for level in range(DEPTH, 0, -1):
            for path in ("b1", "b2", "b3"):
                self.add_module(f"{path}_{level}", Block(WIDTH, WIDTH))
        self.b2_plus_1 = Block(WIDTH, WIDTH)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        return self._level(DEPTH, maps)

    def _level(self, level: int, maps: Tensor) -> Tensor:
        beside: Tensor = self.get_submodule(f"b1_{level}")(maps)
        low = self.get_submodule(f"b2_{level}")(functional.max_pool2d(maps, 2))
        low = self._level(level - 1, low) if level > 1 else self.b2_plus_1(low)
        low = self.get_submodule(f"b3_{level}")(low)
        return beside.add_(functional.interpolate(low, scale_factor=2, mode="nearest"))


class EmoNet(nn.Module):
    """RGB faces (n, 3, 256, 256) from 0 to 1 -> (n, classes + 2): logits, valence, arousal (unbounded)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64)
        self.conv2, self.conv3, self.conv4 = Block(64, 128), Block(128, 128), Block(128, WIDTH)
        for stack in (0, 1):
            self.add_module(f"m{stack}", Hourglass())
            self.add_module(f"top_m_{stack}", Block(WIDTH, WIDTH))
            self.add_module(f"conv_last{stack}", nn.Conv2d(WIDTH, WIDTH, 1))
            self.add_module(f"bn_end{stack}", nn.BatchNorm2d(WIDTH))
            self.add_module(f"l{stack}", nn.Conv2d(WIDTH, LANDMARKS, 1))
        self.bl0, self.al0 = nn.Conv2d(WIDTH, WIDTH, 1), nn.Conv2d(LANDMARKS, WIDTH, 1)
        self.conv1x1_input_emo_2 = nn.Conv2d(3 * WIDTH, WIDTH, 1)
        blocks = ((Block(WIDTH, WIDTH), nn.MaxPool2d(2)) for _ in range(READING))
        self.emo_net_2 = nn.Sequential(*(layer for pair in blocks for layer in pair))
        self.avg_pool_2 = nn.AvgPool2d(4)
        self.emo_fc_2 = nn.Sequential(
            nn.Linear(WIDTH, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, classes + 2)
        )

    def forward(self, faces: Tensor) -> Tensor:
        """The logits of the expressions, then valence, then arousal."""
        stem = self._stem(faces)
        features, heatmaps = self._stack(0, stem)
        first = self.bl0(features)
        features, heatmaps = self._stack(1, stem + first + self.al0(heatmaps))
        # The sum of all heatmaps, however large, is the attention; the stem's maps stay as they are.
        attention = heatmaps.sum(dim=1, keepdim=True)
        maps = torch.cat((stem, first * attention, features * attention), dim=1)
        read = self.avg_pool_2(self.emo_net_2(self.conv1x1_input_emo_2(maps)))
        answers: Tensor = self.emo_fc_2(read.flatten(1))
        return answers

    def _stem(self, faces: Tensor) -> Tensor:
        maps = self.conv2(_rectified(self.bn1(self.conv1(faces))))
        halved: Tensor = self.conv4(self.conv3(functional.max_pool2d(maps, 2)))
        return halved

    def _stack(self, stack: int, maps: Tensor) -> tuple[Tensor, Tensor]:
        """One hourglass: its features, and the heatmap of each landmark."""
        for name in ("m", "top_m_", "conv_last", "bn_end"):
            maps = self.get_submodule(f"{name}{stack}")(maps)
        features = _rectified(maps)
        return features, self.get_submodule(f"l{stack}")(features)


def _convolution(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, bias=False)


def _rectified(maps: Tensor) -> Tensor:
    # In place: a batch of 16 at 128 x 128 need not be held twice.
    return functional.relu(maps, inplace=True)


def load(path: Path, classes: int) -> EmoNet:
    """The network with the weights of the authors' checkpoint, ready to predict.

    Every key must be there with its shape, and none beside; nothing but tensors is unpickled.
    Raises ModelError for any other file.
    """
    network = EmoNet(classes)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(
            {key.removeprefix(PREFIX): value for key, value in state.items()}, strict=True
        )
    except (AttributeError, EOFError, OSError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} is no checkpoint of EmoNet with {classes} expressions: {error}") from error
    # torch's own types leave this argument out.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()
