"""EmoNet as a rater: the authors' crop, the mirror image, batches; their figures where the weights are."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.records import Face
from core.vision import detect, image, weights
from core.vision.detect import Detector
from core.vision.image import Pixels
from core.vision.landmarks import IBUG_68
from core.vision.mesh import MediaPipe, Mesh
from core.vision.networks import emonet as networks
from core.vision.networks.emonet import EmoNet
from core.vision.rater import Compute, Opinion
from core.vision.raters import emonet
from core.vision.raters.emonet import Crop
from core.vision.sight import Sight
from tests.core.vision import stand_ins
from tests.core.vision.filled import fill

FACE = Face(x=40, y=60, width=120, height=100, score=None, points=(), detector="none", detector_version="0",
            rule="largest of 1", n_faces=1)  # fmt: skip


@dataclass(frozen=True)
class Marked:
    """A landmarker of which the test knows where it sees the 68 landmarks; None: nowhere."""

    box: tuple[float, float, float, float] | None
    version: str = "known"

    def mesh(self, _image: Pixels, _face: Face) -> Mesh | None:
        if self.box is None:
            return None
        left, top, width, height = self.box
        points = np.full((478, 3), -1000.0)  # outside unless one of the 68
        inside = np.random.default_rng(0).uniform((left, top), (left + width, top + height), (68, 2))
        points[list(IBUG_68), :2] = inside
        points[IBUG_68[0], :2], points[IBUG_68[16], :2] = (left, top), (left + width, top + height)
        return Mesh(points, {}, np.eye(4))


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> emonet.Rater:
    rater = stand_ins.GENERATED["emonet-8"](tmp_path_factory.mktemp("emonet"))
    assert isinstance(rater, emonet.Rater)
    return rater


@pytest.fixture(scope="module")
def crops(faces: dict[str, bytes]) -> list[Crop]:
    """Three portraits, resized as they are."""
    return [whole(faces[name]) for name in ("emonet_example.png", "img11.jpg", "img3.jpg")]


def whole(content: bytes) -> Crop:
    pixels = cv2.resize(image.read(content), (256, 256), interpolation=cv2.INTER_LINEAR)
    return Crop(np.asarray(pixels, np.uint8))


def ramp(height: int, width: int) -> Pixels:
    """Red is the column, green the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, 0 * rows + 255], axis=-1).astype(np.uint8)


def numbers(opinions: tuple[Opinion, ...]) -> np.ndarray:
    return np.array([[*one.probabilities.values(), *(s.value for s in one.scores[1:])] for one in opinions])


def test_the_crop_is_the_square_of_200_220ths_of_the_landmarks_width_and_height() -> None:
    # A box of 120 x 100 around (110, 120): the side is 220 * 200/220 = 200, so columns 10..210, rows 20..220.
    crop = emonet.Rater.prepare(None, Sight(ramp(250, 250), FACE, Marked((50, 70, 120, 100))))  # type: ignore[arg-type]
    places = (np.arange(256) + 0.5) * 200 / 256 - 0.5
    assert crop.pixels.shape == (256, 256, 3)
    assert np.abs(crop.pixels[128, :, 0] - (10 + places)).max() <= 1
    assert np.abs(crop.pixels[:, 128, 1] - (20 + places)).max() <= 1
    assert crop.reason == ""


def test_beyond_the_picture_the_crop_is_black() -> None:
    # Landmarks at the lower right corner: the picture ends at column and row 200, the square at 230 and 240.
    crop = emonet.Rater.prepare(None, Sight(ramp(200, 200), FACE, Marked((70, 90, 120, 100))))  # type: ignore[arg-type]
    ends = (int((200 - 30) * 256 / 200), int((200 - 40) * 256 / 200))
    assert (crop.pixels[: ends[1] - 1, : ends[0] - 1, 2] == 255).all()
    assert (crop.pixels[:, ends[0] + 2 :] == 0).all()
    assert (crop.pixels[ends[1] + 2 :] == 0).all()


@pytest.mark.parametrize(("landmarker", "why"), [(None, "is not here"), (Marked(None), "sees no face")])
def test_a_crop_from_the_detectors_box_says_so(
    eight: emonet.Rater, landmarker: Marked | None, why: str
) -> None:
    crop = eight.prepare(Sight(ramp(250, 250), FACE, landmarker))
    # The box is 120 x 100 around (100, 110): columns 0..200, rows 10..210.
    assert np.abs(crop.pixels[128, :, 0] - ((np.arange(256) + 0.5) * 200 / 256 - 0.5)).max() <= 1
    (opinion,) = eight.rate([crop])
    assert opinion.reason.startswith("crop from the detector's box: ")
    assert why in opinion.reason
    assert not opinion.abstains


def test_with_generated_weights_an_opinion_is_the_mean_of_the_face_and_its_mirror_image(
    eight: emonet.Rater, crops: list[Crop]
) -> None:
    # Oracle: the network itself, one picture at a time, and torch's softmax.
    for crop, opinion in zip(crops, eight.rate(crops), strict=True):
        faces = [crop.pixels, crop.pixels[:, ::-1]]
        with torch.inference_mode():
            answers = [
                eight.network(torch.tensor(one.copy()).permute(2, 0, 1)[None] / 255)[0] for one in faces
            ]
        mean = (answers[0] + answers[1]).double() / 2
        expected = torch.softmax(mean[:8], dim=0)
        np.testing.assert_allclose(list(opinion.probabilities.values()), expected, atol=1e-5)
        assert tuple(opinion.probabilities) == emonet.LABELS["emonet-8"]
        emotion, valence, arousal = opinion.scores
        assert emotion.label == emonet.LABELS["emonet-8"][int(expected.argmax())]
        assert [valence.value, arousal.value] == pytest.approx(mean[8:].clamp(-1, 1).tolist(), abs=1e-5)
        assert [valence.scale_id, arousal.scale_id] == ["valence", "arousal"]
    assert np.ptp(numbers(eight.rate(crops)), axis=0).max() > 0.01  # the faces do differ


def test_with_generated_weights_a_mirrored_face_is_rated_the_same(
    eight: emonet.Rater, crops: list[Crop]
) -> None:
    mirrored = [Crop(crop.pixels[:, ::-1]) for crop in crops]
    np.testing.assert_allclose(numbers(eight.rate(mirrored)), numbers(eight.rate(crops)), atol=1e-4)


def test_eight_faces_go_through_in_one_pass_of_sixteen(eight: emonet.Rater, crops: list[Crop]) -> None:
    passes: list[int] = []
    hook = eight.network.register_forward_pre_hook(lambda _network, inputs: passes.append(len(inputs[0])))
    opinions = eight.rate([crops[place % 3] for place in range(11)])
    hook.remove()
    assert passes == [16, 6]
    np.testing.assert_allclose(numbers(opinions[8:]), numbers(opinions[2:5]), atol=1e-4)


def test_values_beyond_the_scale_are_clipped(eight: emonet.Rater, crops: list[Crop]) -> None:
    head = eight.network.get_submodule("2")
    with torch.no_grad():
        kept = head.bias.clone()
        head.bias[-2:] += torch.tensor([9.0, -9.0])
        (opinion,) = eight.rate(crops[:1])
        head.bias.copy_(kept)
    assert [score.value for score in opinion.scores[1:]] == [1.0, -1.0]


def test_the_fifth_of_five_classes_is_neither_fear_nor_anger() -> None:
    emotion = emonet.FIVE.gives[0]
    assert emotion.labels == ("neutral", "happy", "sad", "surprise", "other")
    assert "disputed" in emonet.FIVE.limits
    assert emonet.EIGHT.rater_id == "emonet-8"
    assert "disputed" not in emonet.EIGHT.limits


@pytest.mark.parametrize("entry", emonet.ENTRIES, ids=lambda entry: entry.declaration.rater_id)
def test_without_weights_the_message_says_how_to_get_them(entry: emonet.Entry, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"facenorm models fetch {entry.declaration.rater_id}"):
        entry.load([tmp_path], Compute())


def test_a_checkpoint_with_generated_weights_rates_a_portrait(
    faces: dict[str, bytes], landmarker: MediaPipe, yunet: Detector, tmp_path: Path
) -> None:
    state = fill(EmoNet(8).state_dict())
    state["emo_fc_2.3.weight"] *= 0.05  # valence and arousal within their range
    torch.save({f"module.{key}": value for key, value in state.items()}, tmp_path / "emonet.pth")
    rater = emonet.Rater(emonet.EIGHT, networks.load(tmp_path / "emonet.pth", 8), "0" * 64)
    pixels = image.read(faces["img11.jpg"])
    face = detect.face(pixels, yunet)
    assert face is not None
    crop = rater.prepare(Sight(pixels, face, landmarker))
    (opinion,) = rater.rate([crop])
    assert opinion.reason == ""
    assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=1e-12)
    # By hand: the same face and its mirror image one after the other, channels first.
    sides = [np.ascontiguousarray(one.transpose(2, 0, 1)) for one in (crop.pixels, crop.pixels[:, ::-1])]
    with torch.inference_mode():
        valences = [float(rater.network(torch.from_numpy(one)[None] / 255)[0, 8]) for one in sides]
    assert abs(valences[0] - valences[1]) > 0.001  # averaging them makes a difference
    assert opinion.scores[1].value == pytest.approx(np.mean(valences), abs=1e-4)


def test_the_real_weights_see_the_happy_example_as_their_authors_do(
    folders: list[Path], faces: dict[str, bytes]
) -> None:
    path = weights.find("emonet-8", folders)
    if path is None:
        pytest.skip(
            "EmoNet's weights are not here, or their licence is not agreed to: facenorm models fetch emonet-8"
        )
    network = networks.load(path, 8)
    with torch.inference_mode():
        (answers,) = network(emonet.inputs([whole(faces["emonet_example.png"])]))
    assert emonet.LABELS["emonet-8"][int(answers[:8].argmax())] == "happy"
    # The authors' demonstration prints three digits.
    assert answers[8:].tolist() == pytest.approx([0.064, 0.143], abs=0.002)
