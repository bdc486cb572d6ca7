"""mini-Xception as a torch module, with the weights of the authors' Keras file.

Source: Arriaga, Valdenegro-Toro & Plöger (2017), arXiv:1710.07557, and the layers that the
file itself describes: two convolutions, four residual modules of depthwise separable
convolutions, one convolution to seven classes, averaged over the map.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import h5py
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelError

KERAS_EPSILON = 1e-3
WIDTHS = (8, 16, 32, 64, 128)


class MiniXception(nn.Module):
    """Grey faces (n, 1, 64, 64) in [-1, 1] -> probabilities (n, classes)."""

    def __init__(self, classes: int = 7) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, WIDTHS[0], 3, bias=False),
            _norm(WIDTHS[0]),
            nn.ReLU(),
            nn.Conv2d(WIDTHS[0], WIDTHS[0], 3, bias=False),
            _norm(WIDTHS[0]),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(Block(before, after) for before, after in pairwise(WIDTHS)))
        self.head = nn.Conv2d(WIDTHS[-1], classes, 3, padding=1)

    def forward(self, faces: Tensor) -> Tensor:
        """The probability of each class, shape (n, classes)."""
        maps = self.head(self.blocks(self.stem(faces)))
        return torch.softmax(maps.mean(dim=(2, 3)), dim=1)


class Block(nn.Module):
    """Two separable convolutions and a pool, beside a strided shortcut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.separable_1, self.norm_1 = _separable(before, after), _norm(after)
        self.separable_2, self.norm_2 = _separable(after, after), _norm(after)
        self.shortcut, self.shortcut_norm = nn.Conv2d(before, after, 1, stride=2, bias=False), _norm(after)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of half the height and width."""
        deep = functional.relu(self.norm_1(self.separable_1(maps)))
        beside: Tensor = self.shortcut_norm(self.shortcut(maps))
        return pool_same(self.norm_2(self.separable_2(deep))) + beside


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=KERAS_EPSILON)


def _separable(before: int, after: int) -> nn.Sequential:
    depthwise = nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(before, after, 1, bias=False))


def pool_same(maps: Tensor) -> Tensor:
    """Max pooling 3 x 3 by 2, padded as Keras's "same": the odd pixel goes after, not before."""
    height, width = (_same_padding(side) for side in maps.shape[2:])
    return functional.max_pool2d(functional.pad(maps, (*width, *height), value=-torch.inf), 3, 2)


def _same_padding(side: int) -> tuple[int, int]:
    total = max((-(-side // 2) - 1) * 2 + 3 - side, 0)
    return total // 2, total - total // 2


def load(path: Path) -> MiniXception:
    """The network with the weights of the Keras file, ready to predict.

    Raises ModelError when the file lacks a layer or has another shape.
    """
    network = MiniXception()
    try:
        with h5py.File(path) as file:
            network.load_state_dict(_state(file["model_weights"]), strict=True)
    except (KeyError, RuntimeError, OSError) as error:
        raise ModelError(f"{path} is not mini-Xception as Keras saves it: {error}") from error
    return network.eval()


def _state(layers: h5py.Group) -> dict[str, Tensor]:
    """Keras's arrays under torch's names; Keras numbers a shortcut's norm before the deep path's."""
    state: dict[str, Tensor] = {}
    for number, (convolution, norm) in enumerate(((0, 1), (3, 4)), start=1):
        state |= _convolution(layers, f"conv2d_{number}", f"stem.{convolution}")
        state |= _norm_of(layers, number, f"stem.{norm}")
    for block in range(len(WIDTHS) - 1):
        state |= _convolution(layers, f"conv2d_{3 + block}", f"blocks.{block}.shortcut")
        for part, norm_name in enumerate(("shortcut_norm", "norm_1", "norm_2")):
            state |= _norm_of(layers, 3 + 3 * block + part, f"blocks.{block}.{norm_name}")
        for part in (1, 2):
            name = f"separable_conv2d_{2 * block + part}"
            state |= _separable_of(layers, name, f"blocks.{block}.separable_{part}")
    return state | _convolution(layers, "conv2d_7", "head")


def _arrays(layers: h5py.Group, layer: str) -> dict[str, Tensor]:
    """A layer's arrays by name; Keras nests them in a group of the layer's own name."""
    (scope,) = layers[layer].values()
    return {name.removesuffix(":0"): torch.from_numpy(array[()]) for name, array in scope.items()}


def _convolution(layers: h5py.Group, layer: str, name: str) -> dict[str, Tensor]:
    arrays = _arrays(layers, layer)
    bias = {f"{name}.bias": arrays["bias"]} if "bias" in arrays else {}
    return {f"{name}.weight": arrays["kernel"].permute(3, 2, 0, 1)} | bias  # hwio -> oihw


def _separable_of(layers: h5py.Group, layer: str, name: str) -> dict[str, Tensor]:
    arrays = _arrays(layers, layer)
    return {
        f"{name}.0.weight": arrays["depthwise_kernel"].permute(2, 3, 0, 1),  # hwcm -> cmhw
        f"{name}.1.weight": arrays["pointwise_kernel"].permute(3, 2, 0, 1),
    }


def _norm_of(layers: h5py.Group, number: int, name: str) -> dict[str, Tensor]:
    arrays = _arrays(layers, f"batch_normalization_{number}")
    return {
        f"{name}.weight": arrays["gamma"],
        f"{name}.bias": arrays["beta"],
        f"{name}.running_mean": arrays["moving_mean"],
        f"{name}.running_var": arrays["moving_variance"],
    }
