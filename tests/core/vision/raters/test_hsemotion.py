"""HSEmotion as a rater, on a generated network of its shape: input, order, files of any batch."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from core.errors import ModelError
from core.records import Face
from core.vision import image
from core.vision import onnx as runtime
from core.vision.image import Pixels
from core.vision.rater import Compute
from core.vision.raters import hsemotion
from core.vision.sight import Sight
from tests.core.vision import stand_ins
from tests.core.vision.generated import export

FACE = Face(x=30, y=20, width=60, height=90, score=None, points=(), detector="none", detector_version="0",
            rule="largest of 1", n_faces=1)  # fmt: skip


@pytest.fixture(scope="module")
def crops(faces: dict[str, bytes]) -> list[Pixels]:
    return [
        np.asarray(cv2.resize(image.read(faces[name]), (224, 224)), np.uint8)
        for name in ("emonet_example.png", "img11.jpg", "img3.jpg", "couple.jpg")
    ]


def rater(folder: Path) -> hsemotion.Rater:
    loaded = stand_ins.GENERATED["hsemotion"](folder)
    assert isinstance(loaded, hsemotion.Rater)
    return loaded


def test_with_generated_weights_probabilities_and_affect_are_the_networks(
    crops: list[Pixels], tmp_path: Path
) -> None:
    # Oracle: the same network in torch, on pictures normalised one by one as ImageNet's are.
    network = stand_ins.thin(224, 10)
    names = ["angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    for crop, opinion in zip(crops, rater(tmp_path).rate(crops), strict=True):
        planes = torch.tensor(crop).permute(2, 0, 1).double() / 255
        for plane, mean, std in zip(planes, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], strict=True):
            plane.sub_(mean).div_(std)
        with torch.inference_mode():
            answers = network.double()(planes[None])[0]
        expected = torch.softmax(answers[:8], dim=0)
        assert list(opinion.probabilities) == names
        np.testing.assert_allclose(list(opinion.probabilities.values()), expected, atol=1e-5)
        emotion, valence, arousal = opinion.scores
        assert emotion.label == names[int(expected.argmax())]
        assert [valence.value, arousal.value] == pytest.approx(answers[8:].clamp(-1, 1).tolist(), abs=1e-5)
        assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=1e-12)


def test_the_crop_is_the_detectors_box_stretched(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (150, 120, 3), dtype=np.uint8)
    crop = rater(tmp_path).prepare(Sight(picture, FACE))
    assert np.array_equal(crop, cv2.resize(picture[20:110, 30:90], (224, 224)))


def test_a_file_made_for_one_face_rates_many(crops: list[Pixels], tmp_path: Path) -> None:
    path = tmp_path / "one.onnx"
    many = rater(tmp_path)
    model = onnx.load(tmp_path / "hsemotion.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, path)
    one = hsemotion.Rater(runtime.session(path, Compute()), "")
    assert one.network.batch == 1
    for found, expected in zip(one.rate(crops), many.rate(crops), strict=True):
        assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-5)


def test_a_network_of_another_shape_is_refused_in_words(crops: list[Pixels], tmp_path: Path) -> None:
    path = export(stand_ins.thin(224, 8), tmp_path / "eight.onnx", (3, 224, 224), ["y"])
    with pytest.raises(ModelError, match=r"gives \(8,\) values a face; needed are 8 logits, valence"):
        hsemotion.Rater(runtime.session(path, Compute()), "").rate(crops)


def test_without_weights_the_message_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch hsemotion"):
        hsemotion.load([tmp_path], Compute())
