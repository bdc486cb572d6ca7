"""face-quality on generated weights of the right shape: crop, scaling, order, and silence without points."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.vision import arcface_crop, detect, image, onnx
from core.vision.detect import Detector
from core.vision.rater import Compute
from core.vision.raters import face_quality
from core.vision.sight import Sight
from tests.core.vision.generated import export, filled


class Quality(nn.Module):
    """Faces (n, 3, 112, 112) -> one number each: the real file's shape, not its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = filled(
            nn.Sequential(nn.Conv2d(3, 4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5184, 1))
        )

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.layers(faces)


@pytest.fixture(scope="module")
def network() -> Quality:
    return Quality().eval()


@pytest.fixture(scope="module")
def path(network: Quality, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(network, tmp_path_factory.mktemp("quality") / "quality.onnx", (3, 112, 112), ["quality"])


@pytest.fixture(scope="module")
def rater(path: Path) -> face_quality.Rater:
    return face_quality.Rater(onnx.session(path, Compute()), "0" * 64)


@pytest.fixture(scope="module")
def sights(faces: dict[str, bytes], yunet: Detector) -> list[Sight]:
    found = []
    for name in ("img3.jpg", "img5.jpg", "img12.jpg"):
        pixels = image.read(faces[name])
        face = detect.face(pixels, yunet)
        assert face is not None
        found.append(Sight(pixels, face))
    return found


def test_with_generated_weights_it_says_what_the_network_says_of_the_documented_input(
    rater: face_quality.Rater, path: Path, sights: list[Sight]
) -> None:
    # Oracle: OpenCV's own ONNX engine on blobFromImages, (x - 127.5) / 127.5, which is (x / 255 - .5) / .5.
    prepared = [rater.prepare(sight) for sight in sights]
    crops = [one.face for one in prepared if one.face is not None]
    assert len(crops) == 3
    net = cv2.dnn.readNetFromONNX(str(path))
    expected = []
    for crop in crops:
        bgr = np.ascontiguousarray(crop[..., ::-1])
        net.setInput(cv2.dnn.blobFromImages([bgr], 1 / 127.5, (112, 112), (127.5,) * 3, swapRB=True))
        expected.append(float(net.forward().ravel()[0]))
    found = [opinion.scores[0].value for opinion in rater.rate(prepared)]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert np.ptp(expected) > 1e-2  # the faces are told apart


def test_the_face_is_brought_to_arcfaces_places(rater: face_quality.Rater, sights: list[Sight]) -> None:
    face = sights[0].face
    points = np.array(face.points)
    matrix = arcface_crop.similarity(points, arcface_crop.PLACES)
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - arcface_crop.PLACES).max() < 8  # pixels of 112: a similarity cannot fit every face
    prepared = rater.prepare(sights[0])
    assert prepared.face is not None
    assert prepared.face.shape == (112, 112, 3)


def test_without_five_points_it_abstains_and_says_how_to_get_them(
    rater: face_quality.Rater, sights: list[Sight]
) -> None:
    bare = Sight(sights[1].image, replace(sights[1].face, points=(), detector="haar"))
    silent, spoken = rater.rate([rater.prepare(bare), rater.prepare(sights[1])])
    assert silent.abstains
    assert "five points of the face are needed, haar gives none" in silent.reason
    assert not spoken.abstains
    (alone,) = rater.rate([rater.prepare(bare)])
    assert alone == silent


def test_without_its_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch ediffiqa-t"):
        face_quality.load([tmp_path], Compute())


def test_inputs_run_from_minus_one_to_one() -> None:
    black, white = np.zeros((112, 112, 3), np.uint8), np.full((112, 112, 3), 255, np.uint8)
    found = face_quality.inputs([black, white])
    assert found.shape == (2, 3, 112, 112)
    assert found.dtype == np.float32
    assert (found[0].max(), found[1].min()) == (-1, 1)
