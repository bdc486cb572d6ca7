"""EmoNet against outputs of its authors' network, every weight and input filled by formula.

Oracle: emonet_golden.json, made with the authors' code at a fixed commit; see its `about`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from core.errors import ModelError
from core.vision import onnx as runtime
from core.vision.networks import emonet
from core.vision.networks.emonet import EmoNet
from core.vision.rater import Compute
from tests.core.vision.filled import fill, pictures

FP64 = 1e-6  # relative; the golden file's own tolerances
FP32 = 1e-3  # absolute


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "emonet_golden.json").read_text(encoding="utf-8")
    models: dict[str, Any] = json.loads(text)["models"]
    return models


@pytest.fixture(scope="module")
def network() -> EmoNet:
    return filled(8).eval().to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def answers(network: EmoNet) -> Tensor:
    """Of all four pictures at once, channels last."""
    return answer(network, pictures().float().to(memory_format=torch.channels_last))


def filled(classes: int) -> EmoNet:
    network = EmoNet(classes)
    network.load_state_dict(fill(network.state_dict()))
    return network


def answer(network: EmoNet, faces: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(faces)


def expected(golden: dict[str, Any], classes: int, precision: str) -> np.ndarray:
    outputs = golden[str(classes)]["outputs"][precision]
    return np.column_stack([outputs["expression"], outputs["valence"], outputs["arousal"]])


@pytest.mark.parametrize("classes", [5, 8])
def test_the_keys_shapes_and_parameters_are_the_checkpoints(golden: dict[str, Any], classes: int) -> None:
    network, facts = EmoNet(classes), golden[str(classes)]
    state = network.state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == facts["keys_sorted"]
    assert len(state) == facts["n_keys"]
    assert sum(value.numel() for value in network.parameters()) == facts["n_params"]
    weights = fill(state)
    for key, first in facts["first_values_check"].items():
        np.testing.assert_allclose(weights[key].flatten()[:3], first, rtol=1e-5)  # given to 6 digits


@pytest.mark.parametrize("classes", [5, 8])
def test_in_fp64_both_networks_agree_with_the_authors_to_1e_6(golden: dict[str, Any], classes: int) -> None:
    network = filled(classes).double().eval()
    maps: dict[str, Tensor] = {}
    facts = golden[str(classes)]
    names = facts["intermediates_fp64_mean_std_first"]
    for name in names:
        keep = lambda _module, _inputs, output, name=name: maps.update({name: output.clone()})  # noqa: E731
        network.get_submodule(name).register_forward_hook(keep)
    # One of the four, since float64 is slow: the one whose channels differ most.
    found = answer(network, pictures()[2:3])
    np.testing.assert_allclose(found, expected(golden, classes, "fp64")[2:3], rtol=FP64)
    for name, fact in names.items():
        values = maps[name].flatten(1)
        numbers = torch.stack([values.mean(1), values.std(1), values[:, 0]], dim=1)
        np.testing.assert_allclose(numbers, fact["per_image"][2:3], rtol=FP64, atol=1e-8, err_msg=name)
        assert list(maps[name].shape[1:]) == fact["shape"][1:]
    heatmaps = maps["l1"]
    sums = facts["outputs"]["fp64"]["heatmap_sum"][2:3]
    np.testing.assert_allclose(heatmaps.sum(dim=(1, 2, 3)), sums, rtol=FP64)
    peaks = heatmaps[:, 30].flatten(1).argmax(dim=1).tolist()
    assert peaks == facts["outputs"]["fp64"]["heatmap_argmax_of_landmark_30"][2:3]


def test_in_fp32_the_eight_agree_with_the_authors_to_1e_3(golden: dict[str, Any], answers: Tensor) -> None:
    np.testing.assert_allclose(answers, expected(golden, 8, "fp32"), atol=FP32, rtol=0)


def test_in_fp32_the_five_agree_with_the_authors_to_1e_3(golden: dict[str, Any]) -> None:
    # Two of the four: all but the last layer is the eight's.
    found = answer(filled(5).eval(), pictures()[2:].float())
    np.testing.assert_allclose(found, expected(golden, 5, "fp32")[2:], atol=FP32, rtol=0)


def test_a_batch_says_what_single_pictures_say(network: EmoNet, answers: Tensor) -> None:
    single = torch.cat([answer(network, picture[None].float()) for picture in pictures()[1:3]])
    np.testing.assert_allclose(answers[1:3], single, atol=FP32, rtol=0)


def test_contiguous_maps_say_what_channels_last_say(answers: Tensor) -> None:
    contiguous = filled(8).eval()
    assert contiguous.conv1.weight.is_contiguous()
    np.testing.assert_allclose(answer(contiguous, pictures()[:1].float()), answers[:1], atol=FP32, rtol=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's exporter that needs no further package
def test_onnxruntime_says_what_torch_says(network: EmoNet, answers: Tensor, tmp_path: Path) -> None:
    path, faces = tmp_path / "emonet.onnx", pictures().float()
    axes = {"faces": {0: "n"}, "answers": {0: "n"}}
    names = {"input_names": ["faces"], "output_names": ["answers"]}
    torch.onnx.export(network, (faces[:1],), path, dynamo=False, dynamic_axes=axes, **names)
    onnx.checker.check_model(onnx.load(path))
    (found,) = runtime.session(path, Compute())(faces[:2].numpy())
    np.testing.assert_allclose(found, answers[:2], atol=FP32, rtol=0)


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_a_checkpoint_is_read_with_and_without_the_authors_prefix(
    network: EmoNet, tmp_path: Path, prefix: str
) -> None:
    path = tmp_path / "emonet.pth"
    torch.save({f"{prefix}{key}": value for key, value in network.state_dict().items()}, path)
    loaded = emonet.load(path, 8)
    assert not loaded.training
    assert loaded.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, network.state_dict()[key])


def test_any_other_file_is_refused_in_words(network: EmoNet, tmp_path: Path) -> None:
    state = network.state_dict()
    lacking = {key: value for key, value in state.items() if value.numel() < 1000}
    more = state | {"l2.bias": state["l1.bias"]}
    for name, content in {"lacking": lacking, "more": more, "list": [1], "code": print}.items():
        path = tmp_path / f"{name}.pth"
        torch.save(content, path)
        with pytest.raises(ModelError, match=rf"{name}\.pth is no checkpoint of EmoNet with 8 expressions"):
            emonet.load(path, 8)
    (tmp_path / "empty.pth").touch()
    with pytest.raises(ModelError, match=r"empty\.pth is no checkpoint"):
        emonet.load(tmp_path / "empty.pth", 8)
    torch.save(state, tmp_path / "eight.pth")
    with pytest.raises(ModelError, match="EmoNet with 5 expressions"):
        emonet.load(tmp_path / "eight.pth", 5)
