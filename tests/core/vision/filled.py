"""EmoNet's weights and pictures by the formulas of emonet_golden.json: nothing random, nothing trained."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def fill(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every tensor of a state dict, filled as the golden file's `formula` says."""
    return {key: _tensor(place, key, state[key]) for place, key in enumerate(sorted(state))}


def _tensor(place: int, key: str, like: Tensor) -> Tensor:
    signed = 2 * _uniform(place, like.numel()) - 1
    values = _values(key, tuple(like.shape), signed)
    return torch.from_numpy(values.reshape(tuple(like.shape))).to(like.dtype)


def _values(key: str, shape: tuple[int, ...], signed: np.ndarray) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return 0 * signed
    if key.endswith("running_var"):
        return 1.25 + 0.25 * signed  # 1 + .5 u
    if key.endswith(("running_mean", "bias")):
        return 0.1 * signed
    return 1 + 0.2 * signed if len(shape) == 1 else signed * math.sqrt(1.5 / math.prod(shape[1:]))


def _uniform(place: int, count: int) -> np.ndarray:
    """The formula's hash of 0 .. count - 1 as fractions of 2 ** 32."""
    x = np.arange(count, dtype=np.uint64) + np.uint64(place * 1_000_003)
    for _ in range(2):
        x &= np.uint64(0xFFFFFFFF)
        x ^= x >> np.uint64(16)
        x *= np.uint64(0x45D9F3B)
    x &= np.uint64(0xFFFFFFFF)
    return (x ^ (x >> np.uint64(16))) / 2**32


def pictures() -> Tensor:
    """The golden file's four inputs, shape (4, 3, 256, 256), float64."""
    y, x = np.mgrid[:256, :256].astype(float)
    channel = np.arange(3)[:, None, None]
    around = np.hypot(x - 127.5, y - 127.5)
    return torch.from_numpy(
        np.stack(
            [
                np.stack([x / 255, y / 255, (x + y) / 510]),
                np.stack([1 - x / 255, 1 - y / 255, abs(x - y) / 255]),
                0.5 + 0.5 * np.sin(2 * np.pi * ((channel + 1) * x + (channel + 2) * y) / 64),
                np.clip(1 - around / (90 + 20 * channel), 0, 1),
            ]
        )
    )
